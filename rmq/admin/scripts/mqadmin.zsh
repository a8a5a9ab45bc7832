#compdef mqadmin
# Completion of mqadmin for zsh. Put this into ~/.zshrc, after compinit:  source <(mqadmin completion zsh)

_mqadmin() {
    local -a found
    found=("${(@f)$("${words[1]}" __complete zsh "${(j: :)words[1,CURRENT-1]} $PREFIX" 2>/dev/null)}")
    if [[ ${found[1]} == ":files" ]]; then
        _files
    elif [[ -n ${found[1]} ]]; then
        _describe mqadmin found
    fi
}

compdef _mqadmin mqadmin
