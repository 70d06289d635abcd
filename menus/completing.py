"""Completion: what may stand next on a command line, for the scripts that `completion` prints.

A shell asks with `--complete WORD...`, the last word being the one that is typed now. Nothing is opened for it but the
group of commands at hand; whatever goes wrong, the shell is told nothing.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

# PROGRAM stands for this program as it was called when the script was printed: it completes for every way to call it.
SCRIPTS = {
    "bash": """\
_valtrac() {
    local IFS=$'\\n' given=("${COMP_WORDS[@]:1:COMP_CWORD}")
    if [[ ${COMP_WORDS[0]##*/} == python* ]]; then
        [[ ${COMP_WORDS[1]##*/} == run.py && $COMP_CWORD -gt 1 ]] || return
        given=("${COMP_WORDS[@]:2:COMP_CWORD-1}")
    fi
    COMPREPLY=($(PROGRAM --complete "${given[@]}" 2>/dev/null))
}
complete -o default -F _valtrac valtrac run.py python python3
""",
    "zsh": """\
_valtrac() {
    local -a given found
    given=("${(@)words[2,CURRENT]}")
    if [[ ${words[1]:t} == python* ]]; then
        if [[ ${words[2]:t} != run.py || $CURRENT -le 2 ]]; then _files; return; fi
        given=("${(@)words[3,CURRENT]}")
    fi
    found=("${(@f)$(PROGRAM --complete "${given[@]}" 2>/dev/null)}")
    if [[ -n ${found[1]} ]]; then compadd -- "${found[@]}"; else _files; fi
}
compdef _valtrac valtrac run.py python python3
""",
    "fish": """\
function __valtrac
    set -l given (commandline -opc) (commandline -ct)
    if string match -q 'python*' (basename $given[1])
        test (count $given) -gt 2; and test (basename $given[2]) = run.py; or return
        set given $given[2..-1]
    end
    PROGRAM --complete $given[2..-1] 2>/dev/null
end
for name in valtrac run.py python python3
    complete -c $name -a '(__valtrac)'
end
""",
}


def script(shell: str, program: str) -> str:
    """The script of a shell. program: what calls this program, quoted for a shell."""
    return SCRIPTS[shell].replace("PROGRAM", program)


def how_called() -> str:
    """What calls this program, from wherever one stands: the installed command, or Python with run.py."""
    called = Path(sys.argv[0]).resolve()
    words = [sys.executable, str(called)] if called.suffix == ".py" else [str(called)]
    return shlex.join(words)


def answer(words: list[str]) -> int:
    """Print what may stand in the place of the last word, one a line."""
    try:
        for found in candidates(words or [""]):
            sys.stdout.write(found + "\n")
    except Exception:  # a shell wants words or nothing
        return 1
    return 0


def candidates(words: list[str]) -> list[str]:
    """What may stand in the place of the last word: commands, options, or the values that an option takes."""
    from menus import program

    *before, typed = words
    known = program.found()
    called = next((word for word in before if word in known), "")
    if not called:
        return _beginning(typed, [*sorted(known), "--help", "--version", "--plain"])
    command: Any = program.commands(called)
    rest = iter(before)
    for word in rest:
        inner = getattr(command, "commands", {}).get(word)
        if inner is None:
            break
        command = inner
    options = {name: parameter for parameter in command.params for name in parameter.opts if name.startswith("-")}
    last = options.get(before[-1])
    if last is not None and not getattr(last, "is_flag", False):
        return _beginning(typed, values_of(last))
    if hasattr(command, "commands"):
        return _beginning(typed, [*sorted(command.commands), "--help"])
    if typed.startswith("-"):
        return _beginning(typed, [*sorted(name for name in options if name.startswith("--")), "--help"])
    return _beginning(
        typed, [value for each in command.params if each.opts[0] not in options for value in values_of(each)]
    )


def values_of(parameter: Any) -> list[str]:
    """The values of a parameter that takes only some; [] where it takes anything, or a file: the shell knows those."""
    kind = parameter.type_descriptor
    return [str(choice) for choice in kind.choices or ()] if kind.is_choice else []


def _beginning(typed: str, words: list[str]) -> list[str]:
    return [word for word in words if word.startswith(typed)]
