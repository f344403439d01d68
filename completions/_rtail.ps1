
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'rtail' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'rtail'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'rtail' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('follow', 'follow', [CompletionResultType]::ParameterValue, 'Print the last 10 lines of each FILE and follow it by name (like tail -F)')
            [CompletionResult]::new('stream', 'stream', [CompletionResultType]::ParameterValue, 'Deliver whole lines to programs: resumable, with an honest exit status')
            [CompletionResult]::new('watch', 'watch', [CompletionResultType]::ParameterValue, 'Follow all logs of a directory, those that appear later too, and tell which are being written')
            break
        }
        'rtail;follow' {
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Print the last NUM lines instead of the last 10; with +NUM, everything from line NUM on')
            [CompletionResult]::new('--lines', '--lines', [CompletionResultType]::ParameterName, 'Print the last NUM lines instead of the last 10; with +NUM, everything from line NUM on')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Print the last NUM bytes; with +NUM, everything from byte NUM on')
            [CompletionResult]::new('--bytes', '--bytes', [CompletionResultType]::ParameterName, 'Print the last NUM bytes; with +NUM, everything from byte NUM on')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'While polling, wait N seconds between looks; look for --pid as often [default: 1.0]')
            [CompletionResult]::new('--sleep-interval', '--sleep-interval', [CompletionResultType]::ParameterName, 'While polling, wait N seconds between looks; look for --pid as often [default: 1.0]')
            [CompletionResult]::new('--max-unchanged-stats', '--max-unchanged-stats', [CompletionResultType]::ParameterName, 'While polling by name, open a file anew that has not changed for N looks [default: 5]')
            [CompletionResult]::new('--pid', '--pid', [CompletionResultType]::ParameterName, 'End once the process PID is gone; with several --pid, once all of them are')
            [CompletionResult]::new('--since-offset', '--since-offset', [CompletionResultType]::ParameterName, 'Begin at byte N, counted from 0, instead of the last lines')
            [CompletionResult]::new('--rotate-wait', '--rotate-wait', [CompletionResultType]::ParameterName, 'Read a rotated file until it was quiet for DUR, then let it go [default: 5s]')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'End once an appended line (on a pipe: any line) matches REGEX, after printing it')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'End after DUR, with status 3 if there is --until, else 0')
            [CompletionResult]::new('--idle-timeout', '--idle-timeout', [CompletionResultType]::ParameterName, 'End after DUR without new data')
            [CompletionResult]::new('-g', '-g', [CompletionResultType]::ParameterName, 'Show only lines that match REGEX, or one of several')
            [CompletionResult]::new('--grep', '--grep', [CompletionResultType]::ParameterName, 'Show only lines that match REGEX, or one of several')
            [CompletionResult]::new('-x', '-x', [CompletionResultType]::ParameterName, 'Don''t show lines that match REGEX, or one of several')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Don''t show lines that match REGEX, or one of several')
            [CompletionResult]::new('-A', '-A ', [CompletionResultType]::ParameterName, 'Show NUM lines behind each line that --grep shows, too')
            [CompletionResult]::new('--after-context', '--after-context', [CompletionResultType]::ParameterName, 'Show NUM lines behind each line that --grep shows, too')
            [CompletionResult]::new('-B', '-B ', [CompletionResultType]::ParameterName, 'Show NUM lines before each line that --grep shows, too')
            [CompletionResult]::new('--before-context', '--before-context', [CompletionResultType]::ParameterName, 'Show NUM lines before each line that --grep shows, too')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Both; -A and -B count more, wherever they stand')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Both; -A and -B count more, wherever they stand')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Begin each line with its file''s name, in a column and in colour, instead of printing headers')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Colour what matches REGEX, or one of several')
            [CompletionResult]::new('--highlight', '--highlight', [CompletionResultType]::ParameterName, 'Colour what matches REGEX, or one of several')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output on terminals, always or never [default: auto]')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Follow the file that was opened (descriptor, and -f alone) instead of its name')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Never print headers with file names')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Never print headers with file names')
            [CompletionResult]::new('--silent', '--silent', [CompletionResultType]::ParameterName, 'Never print headers with file names')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Always print headers with file names')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Always print headers with file names')
            [CompletionResult]::new('-z', '-z', [CompletionResultType]::ParameterName, 'Lines end in NUL, not in a newline')
            [CompletionResult]::new('--zero-terminated', '--zero-terminated', [CompletionResultType]::ParameterName, 'Lines end in NUL, not in a newline')
            [CompletionResult]::new('--debug', '--debug', [CompletionResultType]::ParameterName, 'Say on standard error how files are followed, and why')
            [CompletionResult]::new('--no-follow', '--no-follow', [CompletionResultType]::ParameterName, 'Print and end; of this, -f, -F and --follow the last one counts')
            [CompletionResult]::new('--poll', '--poll', [CompletionResultType]::ParameterName, 'Look at a fixed interval instead of waiting for events [default: 250ms while files change, else 1s]')
            [CompletionResult]::new('--while-locked', '--while-locked', [CompletionResultType]::ParameterName, 'End when no process holds a lock on any of the files, after reading all of them')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Match letters of either case: in these and in what to highlight')
            [CompletionResult]::new('--ignore-case', '--ignore-case', [CompletionResultType]::ParameterName, 'Match letters of either case: in these and in what to highlight')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Begin each line with its file''s name, in a column and in colour, instead of printing headers')
            [CompletionResult]::new('-T', '-T ', [CompletionResultType]::ParameterName, 'Begin each line with the time at which it came, in RFC 3339')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with the time at which it came, in RFC 3339')
            [CompletionResult]::new('--raw-control', '--raw-control', [CompletionResultType]::ParameterName, 'Write control characters to a terminal as they are, instead of spelling them')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Follow the file that was opened (descriptor, and -f alone) instead of its name')
            [CompletionResult]::new('-F', '-F ', [CompletionResultType]::ParameterName, 'The same as --follow=name --retry: the default')
            [CompletionResult]::new('--retry', '--retry', [CompletionResultType]::ParameterName, 'Keep trying to open a file that can''t be opened; on unless -f or --follow is given')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'rtail;stream' {
            [CompletionResult]::new('--since-offset', '--since-offset', [CompletionResultType]::ParameterName, 'Begin at byte N of the only FILE, counted from 0')
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Begin at the start or at the end of the files [default: start]')
            [CompletionResult]::new('--checkpoint', '--checkpoint', [CompletionResultType]::ParameterName, 'Begin where the last run with this checkpoint ended, and record there what the output accepts')
            [CompletionResult]::new('--rotate-wait', '--rotate-wait', [CompletionResultType]::ParameterName, 'Read a rotated file until it was quiet for DUR, then let it go [default: 5s]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'End after DUR, with status 3 if there is --until, else 0')
            [CompletionResult]::new('--idle-timeout', '--idle-timeout', [CompletionResultType]::ParameterName, 'End after DUR without new data')
            [CompletionResult]::new('--pid', '--pid', [CompletionResultType]::ParameterName, 'End once the process PID is gone; with several --pid, once all of them are')
            [CompletionResult]::new('-x', '-x', [CompletionResultType]::ParameterName, 'Don''t show lines that match REGEX, or one of several')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Don''t show lines that match REGEX, or one of several')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Write the bytes and nothing else (raw), or one JSON record a line (json) [default: raw]')
            [CompletionResult]::new('--parse', '--parse', [CompletionResultType]::ParameterName, 'With --format json: a line that is a JSON object is also given parsed')
            [CompletionResult]::new('--max-line', '--max-line', [CompletionResultType]::ParameterName, 'Deliver lines longer than SIZE in pieces [default: 1MiB]')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'End once a line matches REGEX, which is the last one delivered')
            [CompletionResult]::new('-g', '-g', [CompletionResultType]::ParameterName, 'Deliver only lines that match REGEX, or one of several')
            [CompletionResult]::new('--grep', '--grep', [CompletionResultType]::ParameterName, 'Deliver only lines that match REGEX, or one of several')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait for files that are missing at the start, for ever or for DUR, instead of failing')
            [CompletionResult]::new('--no-follow', '--no-follow', [CompletionResultType]::ParameterName, 'End at the end of the files')
            [CompletionResult]::new('--poll', '--poll', [CompletionResultType]::ParameterName, 'Look at a fixed interval instead of waiting for events [default: 250ms while files change, else 1s]')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Exit with status 4 if there was a gap or an undecidable case')
            [CompletionResult]::new('--summary', '--summary', [CompletionResultType]::ParameterName, 'At the end, account for the bytes of each file: read, delivered, filtered, held back and lost')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Match letters of either case with --grep and --exclude')
            [CompletionResult]::new('--ignore-case', '--ignore-case', [CompletionResultType]::ParameterName, 'Match letters of either case with --grep and --exclude')
            [CompletionResult]::new('--while-locked', '--while-locked', [CompletionResultType]::ParameterName, 'End when no process holds a lock on any of the files, after reading all of them')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'rtail;watch' {
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show the last N lines of each file that is there; with +N, everything from line N on')
            [CompletionResult]::new('--lines', '--lines', [CompletionResultType]::ParameterName, 'Show the last N lines of each file that is there; with +N, everything from line N on')
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Show everything (start) or nothing (end) of the files that are there')
            [CompletionResult]::new('--checkpoint', '--checkpoint', [CompletionResultType]::ParameterName, 'Begin where the last run with this checkpoint ended, and record there what the output accepts')
            [CompletionResult]::new('--glob', '--glob', [CompletionResultType]::ParameterName, 'Of directories, only files whose names match PATTERN; may be given several times')
            [CompletionResult]::new('--exclude-dir', '--exclude-dir', [CompletionResultType]::ParameterName, 'Not the directories whose names match NAME; may be given several times')
            [CompletionResult]::new('--depth', '--depth', [CompletionResultType]::ParameterName, 'Go down N levels of directories; 1 is PATH alone')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'By what a file is active: its lock or, without one, its growth (auto), one of them, or don''t tell (none)')
            [CompletionResult]::new('--idle-after', '--idle-after', [CompletionResultType]::ParameterName, 'A file without a lock is completed when it has not grown for DUR [default: 30s]')
            [CompletionResult]::new('--keep', '--keep', [CompletionResultType]::ParameterName, 'Hold N completed sessions open [default: 100]')
            [CompletionResult]::new('--rotate-wait', '--rotate-wait', [CompletionResultType]::ParameterName, 'Read a rotated file until it was quiet for DUR, then let it go [default: 5s]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'End after DUR, with status 3 if there is --until, else 0')
            [CompletionResult]::new('--idle-timeout', '--idle-timeout', [CompletionResultType]::ParameterName, 'End after DUR without new data')
            [CompletionResult]::new('-g', '-g', [CompletionResultType]::ParameterName, 'Show only lines that match REGEX, or one of several')
            [CompletionResult]::new('--grep', '--grep', [CompletionResultType]::ParameterName, 'Show only lines that match REGEX, or one of several')
            [CompletionResult]::new('-x', '-x', [CompletionResultType]::ParameterName, 'Don''t show lines that match REGEX, or one of several')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Don''t show lines that match REGEX, or one of several')
            [CompletionResult]::new('-A', '-A ', [CompletionResultType]::ParameterName, 'Show NUM lines behind each line that --grep shows, too')
            [CompletionResult]::new('--after-context', '--after-context', [CompletionResultType]::ParameterName, 'Show NUM lines behind each line that --grep shows, too')
            [CompletionResult]::new('-B', '-B ', [CompletionResultType]::ParameterName, 'Show NUM lines before each line that --grep shows, too')
            [CompletionResult]::new('--before-context', '--before-context', [CompletionResultType]::ParameterName, 'Show NUM lines before each line that --grep shows, too')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Both; -A and -B count more, wherever they stand')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Both; -A and -B count more, wherever they stand')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Colour what matches REGEX, or one of several')
            [CompletionResult]::new('--highlight', '--highlight', [CompletionResultType]::ParameterName, 'Colour what matches REGEX, or one of several')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output on terminals, always or never [default: auto]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Write lines behind the names of their files (text), or one JSON record a line (json) [default: text]')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'End once a line matches REGEX, which is the last one shown')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Begin each line with its file''s name (name), all of its path (path), or nothing [default: name]')
            [CompletionResult]::new('--poll', '--poll', [CompletionResultType]::ParameterName, 'Look at a fixed interval instead of waiting for events [default: 250ms while files change, else 1s]')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Match letters of either case: in these and in what to highlight')
            [CompletionResult]::new('--ignore-case', '--ignore-case', [CompletionResultType]::ParameterName, 'Match letters of either case: in these and in what to highlight')
            [CompletionResult]::new('-T', '-T ', [CompletionResultType]::ParameterName, 'Begin each line with the time at which it came, in RFC 3339')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with the time at which it came, in RFC 3339')
            [CompletionResult]::new('--raw-control', '--raw-control', [CompletionResultType]::ParameterName, 'Write control characters to a terminal as they are, instead of spelling them')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Begin each line with its file''s name (name), all of its path (path), or nothing [default: name]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
