"""What a tap says: messages, schemas and the types behind them, bookmarks. Pure: bytes in, values out.

The rules are those of the Singer specification (https://github.com/singer-io/getting-started/blob/master/docs/SPEC.md)
and, for BATCH and ACTIVATE_VERSION, of the Meltano Singer SDK (https://sdk.meltano.com).
"""
