# Completion of mqadmin for bash. Put this into ~/.bashrc:  source <(mqadmin completion bash)

_mqadmin() {
    local line=${COMP_LINE:0:COMP_POINT} word cut= candidate
    word=${line##*[[:space:]]}
    # Readline takes what follows a colon or an equals sign for a word of its own.
    case $word in
        *:*) [[ $COMP_WORDBREAKS == *:* ]] && cut=${word%"${word##*:}"} ;;
        *=*) [[ $COMP_WORDBREAKS == *=* ]] && cut=${word%"${word##*=}"} ;;
    esac
    COMPREPLY=()
    while IFS= read -r candidate; do
        if [[ $candidate == :files ]]; then
            mapfile -t COMPREPLY < <(compgen -f -- "${word#"$cut"}")
            compopt -o filenames
            return
        fi
        COMPREPLY+=("${candidate#"$cut"}")
    done < <("${COMP_WORDS[0]}" __complete bash "$line" 2>/dev/null)
}
complete -F _mqadmin mqadmin
