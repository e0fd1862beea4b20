"""The simulated worlds: JunD binding, chromatin features, promoters; what a config may ask of them, what they write."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from helpers.errors import InputError
from helpers.sources import chromatin, promoter_simulation, simulation
from helpers.sources.chromatin import ChromatinSimulation
from helpers.sources.promoter_simulation import PromoterSimulation
from helpers.sources.simulation import Simulation

BINDING = "binding"
_SIMULATED = "simulated:"


class World(NamedTuple):
    """A simulation: the folder of its files, the check of its parameters, and the files that it writes with them."""

    folder: str
    check: Callable[[Mapping[str, Any]], Any]
    files: Callable[[Mapping[str, Any]], tuple[str, ...]]


WORLDS: dict[str, World] = {
    BINDING: World("", Simulation.from_dict, lambda _: simulation.FILES),
    "chromatin": World("chromatin/", ChromatinSimulation.from_dict, chromatin.files),
    "promoters": World("promoters/", PromoterSimulation.from_dict, lambda _: promoter_simulation.FILES),
}


def world_parameters(parameters: Mapping[str, Any], world: str) -> dict[str, Any]:
    """Return the parameters of one world out of ``simulation`` of a config.

    Parameters
    ----------
    parameters : mapping
        Those of JunD binding, and under the names of the other worlds theirs.
    world : str
        A name in `WORLDS`.

    Examples
    --------
    >>> world_parameters({"copies": 3, "chromatin": {"histone": 2}}, "chromatin")
    {'histone': 2}
    >>> world_parameters({"copies": 3, "chromatin": {"histone": 2}}, "binding")
    {'copies': 3}
    """
    if world == BINDING:
        return {name: value for name, value in parameters.items() if name == BINDING or name not in WORLDS}
    return dict(parameters.get(world, {}))


def world_files(parameters: Mapping[str, Any], world: str) -> tuple[str, ...]:
    """Name the files that a world writes in its folder, with ``simulation`` of a config.

    Raises
    ------
    InputError
        For a wrong parameter.
    """
    return WORLDS[world].files(world_parameters(parameters, world))


def check_simulated(tracks: pd.DataFrame, parameters: Mapping[str, Any]) -> None:
    """Check what a config asks of the simulations, before any job.

    Parameters
    ----------
    tracks : pandas.DataFrame
        The sheet: track, url, line.
    parameters : mapping
        ``simulation`` of the config.

    Raises
    ------
    InputError
        For a ``simulated:`` file that no simulation writes, or a wrong parameter.
    """
    for name, world in WORLDS.items():
        own = world_parameters(parameters, name) if name == BINDING else parameters.get(name, {})
        if not isinstance(own, Mapping):
            message = f"simulation.{name} has to hold parameters by name. Received: {own!r}."
            raise InputError(message)
        world.check(own)
    known = [f"{world.folder}{file}" for name, world in WORLDS.items() for file in world_files(parameters, name)]
    for row in tracks.to_dict("records"):
        file = row["url"].removeprefix(_SIMULATED)
        if file != row["url"] and file not in known:
            message = (
                f"track {row['track']!r} (line {row['line']} of the sheet): no file {file!r} is simulated; "
                f"there are {', '.join(known)}."
            )
            raise InputError(message)
