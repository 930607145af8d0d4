import { PassThrough, Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Mux } from '../../src/console/mux.js';
import { Terminal, type TerminalOptions } from '../../src/console/terminal.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(async () => {
  await close();
  vi.useRealTimers();
});
let close: () => Promise<void>;

/** A terminal with streams hello, traps and hypervisor; the first two have input. */
function started(options: Partial<TerminalOptions> = {}, before: (mux: Mux) => void = () => {}) {
  const mux = new Mux();
  const [hello, traps, log] = [mux.open('hello/serial@0'), mux.open('traps/serial@0'), mux.open('hypervisor')];
  const typed: string[] = [];
  hello.input = (bytes) => void typed.push(`hello ${JSON.stringify(Buffer.from(bytes).toString('latin1'))}`);
  traps.input = (bytes) => void typed.push(`traps ${JSON.stringify(Buffer.from(bytes).toString('latin1'))}`);
  const raw: boolean[] = [];
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (on: boolean) => raw.push(on) });
  let screen = '';
  const output = Object.assign(new Writable({ write: (chunk: Buffer, _, done) => ((screen += chunk), done()) }), {
    rows: 10,
  });
  const quit = vi.fn<TerminalOptions['quit']>();
  const terminal = new Terminal({ input, output, quit, ...options });
  before(mux);
  mux.flush();
  mux.attach(terminal);
  terminal.start();
  close = () => mux.close();
  return {
    mux,
    hello,
    traps,
    log,
    typed,
    raw,
    input,
    quit,
    terminal,
    type: (text: string) => void input.emit('data', Buffer.from(text)),
    /** What was printed since the last look. */
    screen: () => {
      mux.flush();
      const seen = screen;
      screen = '';
      return seen;
    },
  };
}

const hint = '[hv440] 1: hello, 2: traps, 3: hypervisor. Ctrl-A then 1…3 switches, ? helps, x leaves\r\n';

test('at the start a line says what there is, and the first stream is shown from its beginning', () => {
  const { screen, raw } = started({}, (mux) => mux.get('hello/serial@0')?.print('early\n'));
  expect(screen()).toBe(`${hint}early\r\n`);
  expect(raw).toEqual([true]);
});

test('the output of the shown stream passes as it is, but for the CR of a lone LF', () => {
  const { hello, screen } = started();
  screen();
  hello.print('a\r\nb\nc\x1b[31mé\r');
  expect(screen()).toBe('a\r\nb\r\nc\x1b[31mé\r');
  hello.print('\nd');
  expect(screen()).toBe('\nd');
});

test('keys go to the shown stream, Ctrl-C too, and the escape key twice is the key itself', () => {
  const { type, typed } = started();
  type('ls\r\x03');
  type('\x01');
  type('\x01');
  type('a\x012b\x01pc\x01\x03d');
  expect(typed).toEqual([
    'hello "ls\\r\\u0003"',
    'hello "\\u0001"',
    'hello "a"',
    'traps "b"',
    'hello "c"',
    'hello "d"',
  ]);
});

test('switching shows the recent history, as many lines as fit, and says how much was left out', () => {
  const { traps, type, screen } = started();
  traps.print(Array.from({ length: 20 }, (_, number) => `line ${number}\n`).join(''));
  traps.print('> ');
  screen();
  type('\x012');
  const shown = ['line 13', 'line 14', 'line 15', 'line 16', 'line 17', 'line 18', 'line 19', '> '].join('\r\n');
  expect(screen()).toBe(`[hv440] 2: traps\r\n[hv440] 94 bytes before this were not shown\r\n${shown}`);
  type('\x01n');
  expect(screen()).toBe('\r\n[hv440] 3: hypervisor\r\n');
  type('\x01n\x01p\x01p');
  expect(screen()).toBe(`[hv440] 1: hello\r\n[hv440] 3: hypervisor\r\n[hv440] 2: traps\r\n${shown}`);
});

test('colours and a hidden cursor of one stream do not stay when another is shown, and come back with it', () => {
  const { hello, type, screen } = started();
  screen();
  hello.print('\x1b[?25l\x1b[31mred');
  screen();
  type('\x012');
  expect(screen()).toBe('\x1b[?25h\x1b[m\x1b[m\r\n[hv440] 2: traps\r\n');
  type('\x011');
  expect(screen()).toBe('[hv440] 1: hello\r\n\x1b[?25l\x1b[?25l\x1b[31mred\x1b[31m');
});

test('new output elsewhere is announced once, until it was looked at, and leaves a prompt whole', () => {
  const { hello, traps, log, type, screen } = started();
  screen();
  hello.print('> ');
  traps.print('x');
  log.print('y');
  expect(screen()).toBe('> ');
  vi.advanceTimersByTime(100);
  expect(screen()).toBe('');
  vi.advanceTimersByTime(300);
  expect(screen()).toBe('\r\n[hv440] 2: traps, 3: hypervisor have new output, Ctrl-A 2, Ctrl-A 3 show them\r\n> ');
  traps.print('more');
  vi.advanceTimersByTime(60_000);
  expect(screen()).toBe('');
  type('\x012\x011');
  screen();
  traps.print('again');
  screen();
  vi.advanceTimersByTime(5000);
  expect(screen()).toBe('\r\n[hv440] 2: traps has new output, Ctrl-A 2 shows it\r\n> ');
});

test('announcements come no oftener than every three seconds', () => {
  const { traps, log, screen } = started();
  traps.print('x');
  screen();
  vi.advanceTimersByTime(100);
  log.print('y');
  screen();
  vi.advanceTimersByTime(2800);
  expect(screen()).toBe('');
  vi.advanceTimersByTime(300);
  expect(screen()).toContain('3: hypervisor has new output');
});

test('an end is said at once, on a line of its own', () => {
  const { hello, traps, type, typed, screen } = started();
  screen();
  hello.print('bye');
  hello.end('ended with status 3');
  expect(screen()).toBe('bye\r\n[hv440] 1: hello ended with status 3\r\nbye');
  traps.end('was stopped');
  type('a');
  type('b');
  expect(screen()).toBe(
    '\r\n[hv440] 2: traps was stopped\r\nbye\r\n[hv440] nobody reads this: 1: hello ended with status 3\r\nbye',
  );
  expect(typed).toEqual([]);
});

test('the list has state and unseen bytes, the help has every key, an unknown key is answered', () => {
  const { traps, log, type, screen } = started({ stateOf: (stream) => `state of ${stream.name}` });
  traps.print('12345');
  log.end('was closed');
  screen();
  type('\x01l');
  expect(screen().split('\r\n')).toEqual([
    '[hv440]  1  hello/serial@0  state of hello/serial@0, shown',
    '[hv440]  2  traps/serial@0  state of traps/serial@0, 5 bytes not seen',
    '[hv440]  3  hypervisor      was closed, 0 bytes not seen',
    '',
  ]);
  type('\x01?');
  const help = screen();
  for (const key of ['1', '2', '3', 'n', 'p', 'l', ':', '\\?', 'x', 'Ctrl-A'])
    expect(help).toMatch(new RegExp(`^\\[hv440\\]   ${key} +\\w`, 'm'));
  type('\x017');
  expect(screen()).toBe('[hv440] Ctrl-A 7: there is no such key or stream; Ctrl-A ? has the list\r\n');
});

test('x asks to leave, and a terminal that goes away does', () => {
  const { type, quit, input } = started();
  type('\x01x');
  expect(quit).toHaveBeenLastCalledWith('asked');
  input.emit('end');
  expect(quit).toHaveBeenLastCalledWith('terminal gone');
});

test('the command line runs lines, holds output back meanwhile, and gives the guest its screen again', () => {
  const commands = vi.fn<(line: string) => string[]>((line) => [`did ${line}`]);
  const { hello, type, typed, screen } = started({ commands });
  hello.print('> ');
  screen();
  type('\x01:');
  expect(screen()).toContain('\r\n[hv440] command line: ');
  type('info\r');
  hello.print('news\n# ');
  expect(screen()).toBe('info\r\ndid info\r\n\rhv440> \x1b[K');
  type('\x1b[A\r');
  expect(commands.mock.calls).toEqual([['info'], ['info']]);
  screen();
  type('half\x03');
  expect(screen()).toBe('half\r\n\r\x1b[K> news\r\n# ');
  type('x');
  expect(typed).toEqual(['hello "x"']);
});

test('the escape key works in the command line, too', () => {
  const { type, terminal, traps } = started({ commands: () => [] });
  type('\x01:abc\x012');
  expect(terminal.shown).toBe(traps);
});

test('without commands there is no command line', () => {
  const { type, typed, screen } = started();
  screen();
  type('\x01:x');
  expect(screen()).toBe('[hv440] there is no command line in this run\r\n');
  expect(typed).toEqual(['hello "x"']);
});

test('a long silence is explained once, and again only when something typed is not answered', () => {
  const report = vi.fn<() => string[]>(() => ['hello: running at c0000000']);
  const { hello, type, screen } = started({ silence: { afterMs: 5000, report } });
  screen();
  vi.advanceTimersByTime(4000);
  hello.print('hi\n');
  screen();
  vi.advanceTimersByTime(4000);
  expect(report).not.toHaveBeenCalled();
  vi.advanceTimersByTime(2000);
  expect(screen()).toBe('[hv440] hello: running at c0000000\r\n');
  hello.print('prompt\n');
  vi.advanceTimersByTime(60_000);
  expect(report).toHaveBeenCalledTimes(1);
  type('a');
  hello.print('a');
  screen();
  vi.advanceTimersByTime(60_000);
  expect(report).toHaveBeenCalledTimes(1);
  type('b');
  vi.advanceTimersByTime(60_000);
  expect(report).toHaveBeenCalledTimes(2);
});

test('our own lines are dim where there is colour', () => {
  expect(started({ colour: true }).screen()).toBe(`\x1b[2m${hint.trimEnd()}\x1b[22m\r\n`);
});

test('closing undoes what the guest has set, ends its line, and gives the terminal back', async () => {
  const { mux, hello, raw, screen } = started();
  screen();
  hello.print('\x1b[?1049h\x1b[1mfull screen');
  await mux.close();
  expect(screen()).toBe('\x1b[?1049h\x1b[1mfull screen\x1b[?1049l\x1b[m\r\n');
  expect(raw).toEqual([true, false]);
});

test('without an escape key every key goes to the guest, and the hint says how to leave', () => {
  const { type, typed, screen } = started({ escape: { byte: undefined, name: 'none' } });
  expect(screen()).toContain(`Every key goes to the guest; kill -INT ${process.pid} leaves`);
  type('\x01x');
  expect(typed).toEqual(['hello "\\u0001x"']);
});

test('a stream that is opened later has its key', () => {
  const { mux, type, terminal } = started();
  const late = mux.open('late');
  type('\x014');
  expect(terminal.shown).toBe(late);
});

test('the process has as many listeners after a terminal as before', async () => {
  const events = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGTSTP', 'SIGCONT', 'exit', 'uncaughtExceptionMonitor'];
  const count = () => events.map((event) => process.listenerCount(event));
  const before = count();
  const { mux } = started();
  expect(count()).not.toEqual(before);
  await mux.close();
  expect(count()).toEqual(before);
});
