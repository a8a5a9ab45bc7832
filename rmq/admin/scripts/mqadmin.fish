# Completion of mqadmin for fish:  mqadmin completion fish > ~/.config/fish/completions/mqadmin.fish

function __mqadmin_complete
    set -l found (mqadmin __complete fish (commandline -cp | string collect) 2>/dev/null)
    if test "$found[1]" = ":files"
        __fish_complete_path (commandline -ct)
    else
        printf '%s\n' $found
    end
end

complete -c mqadmin -f -a '(__mqadmin_complete)'
