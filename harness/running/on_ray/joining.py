"""How this machine's Ray is started, or a cluster joined."""

from __future__ import annotations

import os
import socket
from typing import Any

from harness.errors import InputError, in_a_line

OBJECT_STORE_BYTES = 512 * 2**20
"""Of Ray on this machine; a data set and the outcomes of some blocks need less."""
LOCAL_PATIENCE_S = 20
"""So long Ray's processes on this machine wait for one that is gone; its default is a minute."""
STARTS = 5
"""How often Ray is started on this machine, which may be too busy for its limit of 30 seconds."""


def import_ray() -> Any:
    """Return the module, configured to tell nobody anything (InputError where there is none)."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        raise InputError(
            "Ray is not installed; install it (pip install ray) or use --executor in-process"
        ) from None
    return ray


def start_here(cores: int | None) -> tuple[Any, str, str]:
    """Start Ray on this machine alone, reachable from this machine alone.

    Parameters
    ----------
    cores : how many it may use; None for what Ray finds.

    Returns
    -------
    The module, the folder of this Ray's own files, and what to look at where no worker starts.
    """
    # Below `uv run`, Ray starts its workers through uv too, in a bare copy of the current
    # folder with an environment to be installed. Here they share folder and environment.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    # Every socket of it is then bound to loopback, and not to the address of this machine.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    os.environ.setdefault("RAY_gcs_rpc_server_reconnect_timeout_s", str(LOCAL_PATIENCE_S))
    ray = import_ray()
    options: dict[str, Any] = {} if cores is None else {"num_cpus": cores}
    for tries_left in reversed(range(STARTS)):
        try:
            # "local": never join a cluster that happens to run here; that takes --address.
            context: Any = ray.init(
                address="local",
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                log_to_driver=False,
                logging_level="ERROR",
                **options,
            )
            break
        except Exception as error:  # of any class: what a start of Ray can fail from is open
            ray.shutdown()
            if not tries_left:
                raise InputError(
                    f"Ray does not start here ({in_a_line(error)}); --executor in-process does "
                    "without it"
                ) from None
    folder = context.address_info["session_dir"]
    return (
        ray,
        folder,
        f"look into Ray's logs in {folder}/logs; --executor in-process does without Ray",
    )


def join(address: str) -> tuple[Any, str]:
    """Join a running cluster; returns the module and what to look at where no worker starts."""
    _check_reachable(address)
    ray = import_ray()
    import harness
    import methods

    # By their folders: modules themselves cannot be copied, as Ray does below `uv run`.
    code = {"py_modules": [module.__path__[0] for module in (harness, methods)]}
    try:
        ray.init(address=address, runtime_env=code, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise InputError(
            f"--address {address}: no Ray cluster answers there ({in_a_line(error)}). "
            "Where the cluster asks for a token, set RAY_AUTH_MODE=token"
        ) from None
    advice = (
        "the cluster may be busy (ray status), or cannot start workers for this program (their "
        "logs are on its nodes, in /tmp/ray/session_latest/logs)"
    )
    if "UV" in os.environ:
        advice += (
            "; below uv run they are started by uv there, unless this run has "
            "RAY_ENABLE_UV_RUN_RUNTIME_ENV=0 set"
        )
    return ray, advice


def _check_reachable(address: str) -> None:
    """Refuse an address where nothing listens; Ray itself would try again for minutes."""
    if address.startswith("ray://"):
        raise InputError(
            f"--address {address}: blocks report their progress, which Ray's client protocol "
            "cannot carry; run on a machine of the cluster with --address auto, or send the run "
            "there: python run_all.py submit STUDY --address http://HEAD:8265"
        )
    host, colon, port = address.rpartition(":")
    if not colon:
        return  # "auto" and "local" are Ray's own words
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, ValueError, OverflowError) as error:
        raise InputError(f"--address {address}: nothing answers there ({error})") from None
