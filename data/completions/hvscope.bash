# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Completion of hvscope(1) for bash. Commands, options, formats and keys are what hvscope's own help
# says, so there is nothing here that could differ from it.

# Commands: the lines of `hvscope help` that begin with two blanks and a word.
_hvscope_commands() {
	hvscope help 2>/dev/null | sed -n 's/^  \([a-z][a-z0-9-]*\)  *[^ ].*/\1/p'
}

# Options of a command, as "-x", "--long", each with " ARG" behind it when it takes one.
_hvscope_options() {
	hvscope help "$1" 2>/dev/null | sed -n \
		-e 's/^  \(-[A-Za-z]\), \(--[a-z-]*\)\( [A-Z]*\)\{0,1\}.*/\1\3\n\2\3/p' -e t \
		-e 's/^  \(-[A-Za-z]\)\( [A-Z]*\)\{0,1\}.*/\1\2/p' -e t \
		-e 's/^      \(--[a-z-]*\)\( [A-Z]*\)\{0,1\}.*/\1\2/p'
}

# What the argument of an option may be.
_hvscope_argument() { # METAVAR COMMAND
	case $1 in
	FILE) compgen -f -- "$cur" ;;
	DIR) compgen -d -- "$cur" ;;
	PID) compgen -W "$(cd /proc && echo [0-9]*)" -- "$cur" ;;
	FORMAT)
		compgen -W "$(hvscope help "$2" 2>/dev/null |
			sed -n '/^  -f FORMAT/,/^  *-/s/^ \{20,\}\([a-z]*\) .*/\1/p')" -- "$cur"
		;;
	KEYS)
		compgen -W "$(hvscope help "$2" 2>/dev/null | sed -n '/--by KEYS/{n;s/ or /, /;s/,//g;p;}')" \
			-- "$cur"
		;;
	esac
}

_hvscope() {
	local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]-} options metavar i

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == -- ]]; then
			mapfile -t COMPREPLY < <(compgen -c -f -- "$cur")
			return
		fi
	done
	if ((COMP_CWORD == 1)) || [[ $command == help ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_hvscope_commands)" -- "$cur")
		return
	fi
	options=$(_hvscope_options "$command")
	metavar=$(sed -n "s/^$previous //p" <<<"$options" | head -n 1)
	if [[ -n $metavar ]]; then
		mapfile -t COMPREPLY < <(_hvscope_argument "$metavar" "$command")
	else
		mapfile -t COMPREPLY < <(compgen -W "$(cut -d' ' -f1 <<<"$options")" -- "$cur")
	fi
}

complete -F _hvscope hvscope
