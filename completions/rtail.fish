# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_rtail_global_optspecs
    string join \n h/help V/version
end

function __fish_rtail_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_rtail_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_rtail_using_subcommand
    set -l cmd (__fish_rtail_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c rtail -n "__fish_rtail_needs_command" -s h -l help -d 'Print help'
complete -c rtail -n "__fish_rtail_needs_command" -s V -l version -d 'Print version'
complete -c rtail -n "__fish_rtail_needs_command" -f -a "follow" -d 'Print the last 10 lines of each FILE and follow it by name (like tail -F)'
complete -c rtail -n "__fish_rtail_needs_command" -f -a "stream" -d 'Deliver whole lines to programs: resumable, with an honest exit status'
complete -c rtail -n "__fish_rtail_needs_command" -f -a "watch" -d 'Follow all logs of a directory, those that appear later too, and tell which are being written'
complete -c rtail -n "__fish_rtail_using_subcommand follow" -s n -l lines -d 'Print the last NUM lines instead of the last 10; with +NUM, everything from line NUM on' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand follow" -s c -l bytes -d 'Print the last NUM bytes; with +NUM, everything from byte NUM on' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand follow" -s s -l sleep-interval -d 'While polling, wait N seconds between looks; look for --pid as often [default: 1.0]' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand follow" -l max-unchanged-stats -d 'While polling by name, open a file anew that has not changed for N looks [default: 5]' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand follow" -l pid -d 'End once the process PID is gone; with several --pid, once all of them are' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand follow" -l since-offset -d 'Begin at byte N, counted from 0, instead of the last lines' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand follow" -l rotate-wait -d 'Read a rotated file until it was quiet for DUR, then let it go [default: 5s]' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand follow" -l until -d 'End once an appended line (on a pipe: any line) matches REGEX, after printing it' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand follow" -l timeout -d 'End after DUR, with status 3 if there is --until, else 0' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand follow" -l idle-timeout -d 'End after DUR without new data' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand follow" -s g -l grep -d 'Show only lines that match REGEX, or one of several' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand follow" -s x -l exclude -d 'Don\'t show lines that match REGEX, or one of several' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand follow" -s A -l after-context -d 'Show NUM lines behind each line that --grep shows, too' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand follow" -s B -l before-context -d 'Show NUM lines before each line that --grep shows, too' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand follow" -s C -l context -d 'Both; -A and -B count more, wherever they stand' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand follow" -l label -d 'Begin each line with its file\'s name, in a column and in colour, instead of printing headers' -r -f -a "name\t''
path\t''
none\t''"
complete -c rtail -n "__fish_rtail_using_subcommand follow" -s H -l highlight -d 'Colour what matches REGEX, or one of several' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand follow" -l color -d 'Colour the output on terminals, always or never [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c rtail -n "__fish_rtail_using_subcommand follow" -l follow -d 'Follow the file that was opened (descriptor, and -f alone) instead of its name' -r -f -a "descriptor\t''
name\t''"
complete -c rtail -n "__fish_rtail_using_subcommand follow" -s q -l quiet -l silent -d 'Never print headers with file names'
complete -c rtail -n "__fish_rtail_using_subcommand follow" -s v -l verbose -d 'Always print headers with file names'
complete -c rtail -n "__fish_rtail_using_subcommand follow" -s z -l zero-terminated -d 'Lines end in NUL, not in a newline'
complete -c rtail -n "__fish_rtail_using_subcommand follow" -l debug -d 'Say on standard error how files are followed, and why'
complete -c rtail -n "__fish_rtail_using_subcommand follow" -l no-follow -d 'Print and end; of this, -f, -F and --follow the last one counts'
complete -c rtail -n "__fish_rtail_using_subcommand follow" -l poll -d 'Look at a fixed interval instead of waiting for events [default: 250ms while files change, else 1s]'
complete -c rtail -n "__fish_rtail_using_subcommand follow" -l while-locked -d 'End when no process holds a lock on any of the files, after reading all of them'
complete -c rtail -n "__fish_rtail_using_subcommand follow" -s i -l ignore-case -d 'Match letters of either case: in these and in what to highlight'
complete -c rtail -n "__fish_rtail_using_subcommand follow" -s l -d 'Begin each line with its file\'s name, in a column and in colour, instead of printing headers'
complete -c rtail -n "__fish_rtail_using_subcommand follow" -s T -l timestamps -d 'Begin each line with the time at which it came, in RFC 3339'
complete -c rtail -n "__fish_rtail_using_subcommand follow" -l raw-control -d 'Write control characters to a terminal as they are, instead of spelling them'
complete -c rtail -n "__fish_rtail_using_subcommand follow" -s f -d 'Follow the file that was opened (descriptor, and -f alone) instead of its name'
complete -c rtail -n "__fish_rtail_using_subcommand follow" -s F -d 'The same as --follow=name --retry: the default'
complete -c rtail -n "__fish_rtail_using_subcommand follow" -l retry -d 'Keep trying to open a file that can\'t be opened; on unless -f or --follow is given'
complete -c rtail -n "__fish_rtail_using_subcommand follow" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rtail -n "__fish_rtail_using_subcommand follow" -s V -l version -d 'Print version'
complete -c rtail -n "__fish_rtail_using_subcommand stream" -l since-offset -d 'Begin at byte N of the only FILE, counted from 0' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand stream" -l from -d 'Begin at the start or at the end of the files [default: start]' -r -f -a "start\t''
end\t''"
complete -c rtail -n "__fish_rtail_using_subcommand stream" -l checkpoint -d 'Begin where the last run with this checkpoint ended, and record there what the output accepts' -r -F
complete -c rtail -n "__fish_rtail_using_subcommand stream" -l rotate-wait -d 'Read a rotated file until it was quiet for DUR, then let it go [default: 5s]' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand stream" -l timeout -d 'End after DUR, with status 3 if there is --until, else 0' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand stream" -l idle-timeout -d 'End after DUR without new data' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand stream" -l pid -d 'End once the process PID is gone; with several --pid, once all of them are' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand stream" -s x -l exclude -d 'Don\'t show lines that match REGEX, or one of several' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand stream" -l format -d 'Write the bytes and nothing else (raw), or one JSON record a line (json) [default: raw]' -r -f -a "raw\t''
json\t''"
complete -c rtail -n "__fish_rtail_using_subcommand stream" -l parse -d 'With --format json: a line that is a JSON object is also given parsed' -r -f -a "json\t''"
complete -c rtail -n "__fish_rtail_using_subcommand stream" -l max-line -d 'Deliver lines longer than SIZE in pieces [default: 1MiB]' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand stream" -l until -d 'End once a line matches REGEX, which is the last one delivered' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand stream" -s g -l grep -d 'Deliver only lines that match REGEX, or one of several' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand stream" -l wait -d 'Wait for files that are missing at the start, for ever or for DUR, instead of failing'
complete -c rtail -n "__fish_rtail_using_subcommand stream" -l no-follow -d 'End at the end of the files'
complete -c rtail -n "__fish_rtail_using_subcommand stream" -l poll -d 'Look at a fixed interval instead of waiting for events [default: 250ms while files change, else 1s]'
complete -c rtail -n "__fish_rtail_using_subcommand stream" -l strict -d 'Exit with status 4 if there was a gap or an undecidable case'
complete -c rtail -n "__fish_rtail_using_subcommand stream" -l summary -d 'At the end, account for the bytes of each file: read, delivered, filtered, held back and lost'
complete -c rtail -n "__fish_rtail_using_subcommand stream" -s i -l ignore-case -d 'Match letters of either case with --grep and --exclude'
complete -c rtail -n "__fish_rtail_using_subcommand stream" -l while-locked -d 'End when no process holds a lock on any of the files, after reading all of them'
complete -c rtail -n "__fish_rtail_using_subcommand stream" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rtail -n "__fish_rtail_using_subcommand stream" -s V -l version -d 'Print version'
complete -c rtail -n "__fish_rtail_using_subcommand watch" -s n -l lines -d 'Show the last N lines of each file that is there; with +N, everything from line N on' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand watch" -l from -d 'Show everything (start) or nothing (end) of the files that are there' -r -f -a "start\t''
end\t''"
complete -c rtail -n "__fish_rtail_using_subcommand watch" -l checkpoint -d 'Begin where the last run with this checkpoint ended, and record there what the output accepts' -r -F
complete -c rtail -n "__fish_rtail_using_subcommand watch" -l glob -d 'Of directories, only files whose names match PATTERN; may be given several times' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand watch" -l exclude-dir -d 'Not the directories whose names match NAME; may be given several times' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand watch" -l depth -d 'Go down N levels of directories; 1 is PATH alone' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand watch" -l state -d 'By what a file is active: its lock or, without one, its growth (auto), one of them, or don\'t tell (none)' -r -f -a "auto\t''
lock\t''
growth\t''
none\t''"
complete -c rtail -n "__fish_rtail_using_subcommand watch" -l idle-after -d 'A file without a lock is completed when it has not grown for DUR [default: 30s]' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand watch" -l keep -d 'Hold N completed sessions open [default: 100]' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand watch" -l rotate-wait -d 'Read a rotated file until it was quiet for DUR, then let it go [default: 5s]' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand watch" -l timeout -d 'End after DUR, with status 3 if there is --until, else 0' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand watch" -l idle-timeout -d 'End after DUR without new data' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand watch" -s g -l grep -d 'Show only lines that match REGEX, or one of several' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand watch" -s x -l exclude -d 'Don\'t show lines that match REGEX, or one of several' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand watch" -s A -l after-context -d 'Show NUM lines behind each line that --grep shows, too' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand watch" -s B -l before-context -d 'Show NUM lines before each line that --grep shows, too' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand watch" -s C -l context -d 'Both; -A and -B count more, wherever they stand' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand watch" -s H -l highlight -d 'Colour what matches REGEX, or one of several' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand watch" -l color -d 'Colour the output on terminals, always or never [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c rtail -n "__fish_rtail_using_subcommand watch" -l format -d 'Write lines behind the names of their files (text), or one JSON record a line (json) [default: text]' -r -f -a "text\t''
json\t''"
complete -c rtail -n "__fish_rtail_using_subcommand watch" -l until -d 'End once a line matches REGEX, which is the last one shown' -r -f
complete -c rtail -n "__fish_rtail_using_subcommand watch" -l label -d 'Begin each line with its file\'s name (name), all of its path (path), or nothing [default: name]' -r -f -a "name\t''
path\t''
none\t''"
complete -c rtail -n "__fish_rtail_using_subcommand watch" -l poll -d 'Look at a fixed interval instead of waiting for events [default: 250ms while files change, else 1s]'
complete -c rtail -n "__fish_rtail_using_subcommand watch" -s i -l ignore-case -d 'Match letters of either case: in these and in what to highlight'
complete -c rtail -n "__fish_rtail_using_subcommand watch" -s T -l timestamps -d 'Begin each line with the time at which it came, in RFC 3339'
complete -c rtail -n "__fish_rtail_using_subcommand watch" -l raw-control -d 'Write control characters to a terminal as they are, instead of spelling them'
complete -c rtail -n "__fish_rtail_using_subcommand watch" -s l -d 'Begin each line with its file\'s name (name), all of its path (path), or nothing [default: name]'
complete -c rtail -n "__fish_rtail_using_subcommand watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rtail -n "__fish_rtail_using_subcommand watch" -s V -l version -d 'Print version'
