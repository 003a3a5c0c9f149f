#!/bin/sh
# Completion in bash, zsh and fish: what each offers for a line that is typed as far as shown.
. "$QCC_SRC/tests/lib.sh"

# bash_offers LINE...: the words that bash offers for the last one.
cat >bash_offers <<'EOF'
eval "$("$QCC" completion bash)"
COMP_WORDS=(qcc "$@")
COMP_CWORD=$#
_qcc
printf '%s\n' "${COMPREPLY[@]}"
EOF
# zsh's own functions need a terminal: these print what they are handed.
cat >zsh_offers <<'EOF'
compdef() { }
compset() { }
_files() { }
compadd() { while [[ $1 != -- ]]; do shift; done; shift; print -l -- "$@" }
_describe() { local name=${@[-1]}; print -l -- ${(P)name} }
source <("$QCC" completion zsh)
words=(qcc "$@")
CURRENT=${#words}
_qcc
EOF
cat >fish_offers <<'EOF'
"$QCC" completion fish | source
complete -C "qcc $argv"
EOF

for shell in bash zsh fish; do
	if ! command -v $shell >/dev/null; then
		skip "$shell" "not installed"
		continue
	fi
	case $shell in
	zsh) run="zsh -f" ;;
	*) run=$shell ;;
	esac
	# shellcheck disable=SC2086 # a command and its option
	{
		prints "$shell: subcommands" '^run' $run ./${shell}_offers ru
		prints "$shell: options of the subcommand" '^--labels' $run ./${shell}_offers run --lab
		prints "$shell: options of a compilation" '^--certify' $run ./${shell}_offers model.onnx --cert
		prints "$shell: passes" 'streamline' $run ./${shell}_offers model.onnx -p strea
		prints "$shell: the second pass of a list" 'streamline\|^fold' $run ./${shell}_offers model.onnx -p streamline,fo
		prints "$shell: backends" 'verilog' $run ./${shell}_offers model.onnx -b ver
		prints "$shell: topics of help" '^MultiThreshold' $run ./${shell}_offers help MultiT
	}
done
refuses "an unknown shell" "no completion for the shell 'csh'" "$QCC" completion csh
refuses "no shell" "no shell is named" "$QCC" completion
finish
