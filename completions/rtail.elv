
use builtin;
use str;

set edit:completion:arg-completer[rtail] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'rtail'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'rtail'= {
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
            cand follow 'Print the last 10 lines of each FILE and follow it by name (like tail -F)'
            cand stream 'Deliver whole lines to programs: resumable, with an honest exit status'
        }
        &'rtail;follow'= {
            cand -n 'Print the last NUM lines instead of the last 10; with +NUM, everything from line NUM on'
            cand --lines 'Print the last NUM lines instead of the last 10; with +NUM, everything from line NUM on'
            cand -c 'Print the last NUM bytes; with +NUM, everything from byte NUM on'
            cand --bytes 'Print the last NUM bytes; with +NUM, everything from byte NUM on'
            cand -s 'While polling, wait N seconds between looks; look for --pid as often [default: 1.0]'
            cand --sleep-interval 'While polling, wait N seconds between looks; look for --pid as often [default: 1.0]'
            cand --max-unchanged-stats 'While polling by name, open a file anew that has not changed for N looks [default: 5]'
            cand --pid 'End once the process PID is gone; with several --pid, once all of them are'
            cand --since-offset 'Begin at byte N, counted from 0, instead of the last lines'
            cand --rotate-wait 'Read a rotated file until it was quiet for DUR, then let it go [default: 5s]'
            cand --until 'End once an appended line (on a pipe: any line) matches REGEX, after printing it'
            cand --timeout 'End after DUR, with status 3 if there is --until, else 0'
            cand --idle-timeout 'End after DUR without new data'
            cand -g 'Show only lines that match REGEX, or one of several'
            cand --grep 'Show only lines that match REGEX, or one of several'
            cand -x 'Don''t show lines that match REGEX, or one of several'
            cand --exclude 'Don''t show lines that match REGEX, or one of several'
            cand -A 'Show NUM lines behind each line that --grep shows, too'
            cand --after-context 'Show NUM lines behind each line that --grep shows, too'
            cand -B 'Show NUM lines before each line that --grep shows, too'
            cand --before-context 'Show NUM lines before each line that --grep shows, too'
            cand -C 'Both; -A and -B count more, wherever they stand'
            cand --context 'Both; -A and -B count more, wherever they stand'
            cand --label 'Begin each line with its file''s name, in a column and in colour, instead of printing headers'
            cand -H 'Colour what matches REGEX, or one of several'
            cand --highlight 'Colour what matches REGEX, or one of several'
            cand --color 'Colour the output on terminals, always or never [default: auto]'
            cand --follow 'Follow the file that was opened (descriptor, and -f alone) instead of its name'
            cand -q 'Never print headers with file names'
            cand --quiet 'Never print headers with file names'
            cand --silent 'Never print headers with file names'
            cand -v 'Always print headers with file names'
            cand --verbose 'Always print headers with file names'
            cand -z 'Lines end in NUL, not in a newline'
            cand --zero-terminated 'Lines end in NUL, not in a newline'
            cand --debug 'Say on standard error how files are followed, and why'
            cand --no-follow 'Print and end; of this, -f, -F and --follow the last one counts'
            cand --poll 'Look at a fixed interval instead of waiting for events [default: 250ms while files change, else 1s]'
            cand --while-locked 'End when no process holds a lock on any of the files, after reading all of them'
            cand -i 'Match letters of either case: in these and in what to highlight'
            cand --ignore-case 'Match letters of either case: in these and in what to highlight'
            cand -l 'Begin each line with its file''s name, in a column and in colour, instead of printing headers'
            cand -T 'Begin each line with the time at which it came, in RFC 3339'
            cand --timestamps 'Begin each line with the time at which it came, in RFC 3339'
            cand --raw-control 'Write control characters to a terminal as they are, instead of spelling them'
            cand -f 'Follow the file that was opened (descriptor, and -f alone) instead of its name'
            cand -F 'The same as --follow=name --retry: the default'
            cand --retry 'Keep trying to open a file that can''t be opened; on unless -f or --follow is given'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'rtail;stream'= {
            cand --since-offset 'Begin at byte N of the only FILE, counted from 0'
            cand --from 'Begin at the start or at the end of the files [default: start]'
            cand --checkpoint 'Begin where the last run with this checkpoint ended, and record there what the output accepts'
            cand --rotate-wait 'Read a rotated file until it was quiet for DUR, then let it go [default: 5s]'
            cand --timeout 'End after DUR, with status 3 if there is --until, else 0'
            cand --idle-timeout 'End after DUR without new data'
            cand --pid 'End once the process PID is gone; with several --pid, once all of them are'
            cand --format 'Write the bytes and nothing else (raw), or one JSON record a line (json) [default: raw]'
            cand --parse 'With --format json: a line that is a JSON object is also given parsed'
            cand --max-line 'Deliver lines longer than SIZE in pieces [default: 1MiB]'
            cand --until 'End once a line matches REGEX, which is the last one delivered'
            cand --wait 'Wait for files that are missing at the start, for ever or for DUR, instead of failing'
            cand --no-follow 'End at the end of the files'
            cand --poll 'Look at a fixed interval instead of waiting for events [default: 250ms while files change, else 1s]'
            cand --strict 'Exit with status 4 if there was a gap or an undecidable case'
            cand --summary 'At the end, account for the bytes of each file: read, delivered, held back and lost'
            cand --while-locked 'End when no process holds a lock on any of the files, after reading all of them'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
    ]
    $completions[$command]
}
