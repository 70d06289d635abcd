"""How settings are written: lists of words, amounts, parts of a whole."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from valtrac.core.errors import BadInput
from valtrac.core.money import BTS, QTUM, parse_bps, parse_units

LARGEST_SQL_INTEGER = 2**63 - 1


class Checked(BaseModel):
    """A part of the settings: checked when it is made, defaults too, frozen afterwards, and nothing unknown in it. What
    is in the environment and in the settings file is read elsewhere and handed over. What checks a part is built when
    it is first used: most runs use the whole alone."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, defer_build=True)


def _words(value: Any) -> Any:
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


def _tao(value: Any) -> Any:
    """A decimal number of TAO as rao; errors keep the words of the parser."""
    return parsed(value, 9)


def _bts(value: Any) -> Any:
    """A decimal number of BTS as satoshi."""
    return parsed(value, BTS.decimals)


def _qtum(value: Any) -> Any:
    """A decimal number of QTUM as satoshi."""
    return parsed(value, QTUM.decimals)


def parsed(value: Any, decimals: int) -> Any:
    """A decimal number as units; what is no text stays as it is. Raises ValueError in the words of the parser."""
    if not isinstance(value, str):
        return value
    try:
        return parse_units(value, field="amount", decimals=decimals)
    except BadInput as error:
        raise ValueError(error.what) from error


def _share(value: Any) -> Any:
    """A part such as 25% or 0.25 as basis points; errors keep the words of the parser."""
    if not isinstance(value, str):
        return value
    try:
        return parse_bps(value, field="part")
    except BadInput as error:
        raise ValueError(error.what) from error


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Tao = Annotated[int, BeforeValidator(_tao), Field(ge=0, le=LARGEST_SQL_INTEGER)]
Bts = Annotated[int, BeforeValidator(_bts), Field(ge=0, le=LARGEST_SQL_INTEGER)]
Qtum = Annotated[int, BeforeValidator(_qtum), Field(ge=0, le=LARGEST_SQL_INTEGER)]
Share = Annotated[int, BeforeValidator(_share), Field(ge=0, le=10_000)]
