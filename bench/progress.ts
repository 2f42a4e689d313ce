/** What goes on, on stderr: one line that is written over, or, without a terminal, a line for each step. */
export interface Progress {
  /** Something that is not measured begins. */
  say(line: string): void;
  /** What is measured now, as one step of `total`. */
  step(what: string): void;
  /** A slice has begun, of so many in all. */
  slice(): void;
  end(): void;
}

export function openProgress(slices: () => number): Progress {
  const isTerminal = process.stderr.isTTY;
  const begin = performance.now();
  let measuring = 0;
  let done = 0;
  let current = '';
  const write = (line: string) => {
    process.stderr.write(isTerminal ? `\r\x1b[K${line}` : `${line}\n`);
  };
  const show = () => {
    const left = remaining(performance.now() - measuring, done, slices());
    write(`${clock(performance.now() - begin)}  ${current}  (slice ${done} of ${slices()}${left})`);
  };
  return {
    say: (line) => {
      write(`${clock(performance.now() - begin)}  ${line}`);
      if (isTerminal) process.stderr.write('\n');
    },
    step: (what) => {
      measuring ||= performance.now();
      current = what;
      if (!isTerminal) show();
    },
    slice: () => {
      done += 1;
      if (isTerminal) show();
    },
    end: () => {
      if (isTerminal) process.stderr.write('\n');
    },
  };
}

/** How long the rest takes if it goes on like this. */
export function remaining(milliseconds: number, done: number, total: number): string {
  if (done < 5) return '';
  return `, about ${clock((milliseconds / done) * Math.max(total - done, 0))} left`;
}

/** `1:05`, in minutes and seconds. */
export function clock(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
