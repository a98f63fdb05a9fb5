"""How the source is asked: its address, the token, page after page, and from which moment on."""

from functools import cached_property
from typing import Any

from singer_sdk import RESTStream
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.helpers.types import Context
from singer_sdk.pagination import SimpleHeaderPaginator


class ExampleStream(RESTStream[str]):
    """What all streams have in common."""

    # Where the rows are in an answer: "$[*]" for a list, "$.data[*]" for {"data": [...]}.
    records_jsonpath = "$[*]"

    @property
    def url_base(self) -> str:
        return str(self.config["api_url"])

    @cached_property
    def authenticator(self) -> BearerTokenAuthenticator:
        return BearerTokenAuthenticator(token=self.config["auth_token"])

    def get_new_paginator(self) -> SimpleHeaderPaginator:
        """The header X-Next-Page names the page that follows; see singer_sdk.pagination for other ways."""
        return SimpleHeaderPaginator("X-Next-Page")

    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:
        params: dict[str, Any] = {"per_page": self.config["page_size"], "page": next_page_token or 1}
        if self.replication_key and (since := self.get_starting_timestamp(context)):
            params["updated_after"] = since.isoformat()
        return params
