"""One locked Python per tap: a recipe is resolved to a lock, the lock is built aside, a receipt names what is in use.

    package.py      one thing to install, as it is typed: a requirement, a URL or a path
    recipe.py       what an environment is made from, and how a person asks for another
    lock.py         envs/<id>.lock: the recipe and every package it came to, pinned
    receipt.py      envs/<id>/receipt.json: which environment is in use
    about.py        what the tap says of itself: its settings, above all
    code.py         what the code of a tap asks of its config: read, never imported
    standing.py     how the environment in use stands against its lock
    workshop.py     one tap's builds: who may build, who listens
    make.py         recipe → an environment whose tap starts: THE STORY of this room
    choice.py       which Python it is built on, and why
    offer.py        what an index has under a name
    resolve.py      recipe → lock
    folders.py      the folders that a project in a folder depends on
    build.py        lock → an environment that is known to start
    venv.py         makes an empty environment
    trial.py        starts a tap once, to see that it does and what it can
    bytecode.py     compiled modules, shared by all environments
    audit.py        what is known of the packages of a lock
    installed.py    what an environment holds
    failure.py      what kept it from being made or from starting, as a value
    remedies.py     failure → what may mend it, in the order in which it is tried
    search.py       tries remedies aside, until the tap starts
    known.py        what is known about particular packages, Pythons and systems
    hints.py        the next move where no remedy was found
    switch.py       brings an environment into use, goes back to the one before, sweeps
    interpreter.py  the Pythons on this machine
    uv.py           runs uv, and finds the reason in what it says
    variables.py    what the programs we start inherit

Whoever builds imports the modules; only what a run needs is imported here, because a run has to start fast.
"""

from orchestrator.envs.receipt import Receipt, in_use

__all__ = ["Receipt", "in_use"]
