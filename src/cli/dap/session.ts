import {
  ContinuedEvent,
  DebugSession,
  Event,
  InitializedEvent,
  InvalidatedEvent,
  OutputEvent,
  Response,
  StoppedEvent,
  TerminatedEvent,
  ThreadEvent,
} from '@vscode/debugadapter';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { exitStatus } from '../../board/machine.js';
import type { Client, Resumption, StopEvent } from '../../debug/debugger.js';
import type { Target } from '../../debug/target.js';
import type { Launched, SessionArguments, Start } from './launched.js';
import { capabilities } from './capabilities.js';
import { DapBreakpoints, type Placed } from './breakpoints.js';
import { Inspector } from './inspector.js';
import type { Programs } from './programs.js';
import { DapConsole } from './console.js';
import { lineBack, Step, type StepKind } from './stepping.js';
import { TrapCatcher } from './traps.js';
import { sourceOf, View } from './view.js';

type Handler = (args: never) => unknown;

/** One client of the Debug Adapter Protocol: its requests, and what it hears of. */
export class DapSession extends DebugSession {
  #launched: Launched | undefined;
  #breakpoints!: DapBreakpoints;
  #programs!: Programs;
  #view!: View;
  #traps!: TrapCatcher;
  #threads: readonly Target[] = [];
  #step: { readonly target: Target; readonly step: Step } | undefined;
  #arguments: SessionArguments | undefined;
  #client: Client | undefined;
  #console!: DapConsole;
  #invalidates = false;
  #inspector!: Inspector;
  #over = false;

  constructor(private readonly startBy: Start<SessionArguments>) {
    super();
  }

  protected override dispatchRequest(request: Dap.Request): void {
    void this.#answer(request);
  }

  async #answer(request: Dap.Request): Promise<void> {
    const response = new Response(request);
    try {
      const handler = Object.hasOwn(this.#handlers, request.command) ? this.#handlers[request.command] : undefined;
      if (!handler) throw new Error(`there is no request '${request.command}'`);
      if (!this.#launched && !beforeLaunch.has(request.command)) throw new Error('nothing has been launched yet');
      const body: unknown = await handler((request.arguments ?? {}) as never);
      if (body !== undefined) (response as Dap.Response).body = body;
      this.sendResponse(response);
      this.#behind(request);
    } catch (error) {
      this.sendErrorResponse(response, { id: 1, format: (error as Error).message, showUser: true });
    }
  }

  /** What follows an answer. */
  #behind({ command, arguments: args }: Dap.Request): void {
    if (command === this.startBy.request) this.sendEvent(new InitializedEvent());
    if (command === 'configurationDone') this.#begin();
    if (command === 'disconnect') this.#disconnect((args ?? {}) as Dap.DisconnectArguments);
    if (command === 'terminate') this.#terminate();
  }

  readonly #handlers: Readonly<Record<string, Handler>> = {
    initialize: ({ supportsInvalidatedEvent = false }: Dap.InitializeRequestArguments) => {
      this.#invalidates = supportsInvalidatedEvent;
      return capabilities;
    },
    launch: (args: SessionArguments) => this.#start('launch', args),
    attach: (args: SessionArguments) => this.#start('attach', args),
    configurationDone: () => undefined,
    disconnect: () => undefined,
    terminate: () => undefined,
    restart: () => this.#restart(),
    threads: () => ({ threads: this.#threads.map(({ name }, i) => ({ id: i + 1, name })) }),
    setBreakpoints: ({ source, breakpoints = [] }: Dap.SetBreakpointsArguments) => ({
      breakpoints: this.#breakpoints.source(source.path ?? source.name ?? '', breakpoints),
    }),
    setFunctionBreakpoints: ({ breakpoints }: Dap.SetFunctionBreakpointsArguments) => ({
      breakpoints: this.#breakpoints.functions(breakpoints),
    }),
    setInstructionBreakpoints: ({ breakpoints }: Dap.SetInstructionBreakpointsArguments) => ({
      breakpoints: this.#breakpoints.instructions(breakpoints, (reference) => this.#inspector.instruction(reference)),
    }),
    dataBreakpointInfo: (args: Dap.DataBreakpointInfoArguments) => this.#inspector.dataInfo(args),
    setDataBreakpoints: ({ breakpoints }: Dap.SetDataBreakpointsArguments) => ({
      breakpoints: this.#breakpoints.data(breakpoints),
    }),
    setExceptionBreakpoints: ({ filters }: Dap.SetExceptionBreakpointsArguments) => this.#traps.catch(filters),
    exceptionInfo: ({ threadId }: Dap.ExceptionInfoArguments) => this.#traps.info(this.#thread(threadId)),
    continue: ({ threadId, singleThread }: Dap.ContinueArguments) => {
      this.#resume(this.#thread(threadId), { kind: 'run' }, singleThread);
      return { allThreadsContinued: !singleThread };
    },
    next: (args: Dap.NextArguments) => this.#stepBy('over', args),
    stepIn: (args: Dap.StepInArguments) => this.#stepBy('into', args),
    stepOut: (args: Dap.StepOutArguments) => this.#stepBy('out', args),
    stepBack: ({ threadId, granularity }: Dap.StepBackArguments) => this.#back(threadId, granularity ?? 'statement'),
    reverseContinue: ({ threadId }: Dap.ReverseContinueArguments) => this.#back(threadId, 'continue'),
    pause: ({ threadId }: Dap.PauseArguments) => {
      const target = this.#thread(threadId);
      if (this.#console.busy) return this.#console.interrupt();
      this.#debug.stop(this.#threads);
      this.#stopped(target, 'pause');
    },
    stackTrace: ({ threadId, startFrame, levels }: Dap.StackTraceArguments) =>
      this.#view.frames(this.#thread(threadId), startFrame, levels),
    scopes: ({ frameId }: Dap.ScopesArguments) => ({ scopes: this.#view.scopes(this.#inspector.ofFrame(frameId)) }),
    variables: ({ variablesReference }: Dap.VariablesArguments) => ({
      variables: this.#view.variables(variablesReference),
    }),
    setVariable: (args: Dap.SetVariableArguments) => this.#inspector.assign(args),
    evaluate: ({ expression, frameId, context }: Dap.EvaluateArguments) =>
      context === 'repl' && this.#console.knows(expression)
        ? this.#command(expression, this.#inspector.ofFrame(frameId))
        : this.#inspector.evaluate(expression, frameId),
    completions: ({ text, column, frameId }: Dap.CompletionsArguments) =>
      this.#completions(text.slice(0, column - 1), frameId),
    readMemory: (args: Dap.ReadMemoryArguments) => this.#inspector.readMemory(args),
    writeMemory: (args: Dap.WriteMemoryArguments) => this.#inspector.writeMemory(args),
    disassemble: (args: Dap.DisassembleArguments) => this.#inspector.disassemble(args),
    loadedSources: () => {
      const files = new Set(this.#debug.processes.flatMap((process) => this.#programs.of(process).files));
      return { sources: [...files].map(sourceOf) };
    },
    source: () => {
      throw new Error('the source is not on this computer: sourceMap in launch.json says where it is');
    },
  };

  get #debug() {
    return this.#launched!.debug;
  }

  async #start(request: 'launch' | 'attach', args: SessionArguments): Promise<void> {
    if (request !== this.startBy.request) throw new Error(this.startBy.refusal);
    if (this.#launched) throw new Error('something has been launched already');
    this.#arguments = args;
    const launched = await this.startBy.begin(args, (text) => this.#print(text, 'stdout'));
    const { debug, programs } = launched;
    this.#launched = launched;
    this.#programs = programs;
    this.#threads = debug.targets.filter(({ runs }) => runs);
    this.#view = new View(programs, launched.traps);
    this.#inspector = new Inspector(launched, this.#view, this.#threads);
    const client = { scope: debug.targets, stopped: (events: readonly StopEvent[]) => this.#hear(events) };
    debug.join((this.#client = client));
    this.#breakpoints = new DapBreakpoints(debug, client, programs, (text) => this.#print(text, 'console'));
    this.#traps = new TrapCatcher(launched.machine);
    this.#console = new DapConsole(launched, {
      sourceMap: args.sourceMap ?? {},
      stopped: (target, lines) => {
        this.#print(`${lines.join('\n')}\n`, 'console');
        this.#stopped(target, 'pause', { description: lines[0] ?? 'stopped' });
      },
    });
  }

  /** A line of the debug console that is a command of our prompt. */
  #command(line: string, of: Target): { result: string; variablesReference: 0 } {
    const { lines, effect } = this.#console.execute(line, of);
    const { target } = this.#console;
    const result = lines.join('\n');
    this.#launched!.wake();
    if (effect === 'runs' && this.#console.busy) {
      this.#view.forget();
      this.#traps.forget();
      this.sendEvent(new ContinuedEvent(this.#threads.indexOf(target) + 1, true));
    }
    // Behind the answer, as for every other move
    if (effect === 'moves' && target.runs) setImmediate(() => this.#stopped(target, 'goto'));
    if (effect === 'changes' && this.#invalidates) this.sendEvent(new InvalidatedEvent(['variables', 'stacks']));
    if (effect === 'quits') setImmediate(() => this.#terminate());
    return { result, variablesReference: 0 };
  }

  #completions(line: string, frame: number | undefined): Dap.CompletionsResponse['body'] {
    if (frame !== undefined) this.#inspector.ofFrame(frame);
    const { words, begun } = this.#console.complete(line);
    return { targets: words.map((label) => ({ label, start: line.length - begun.length, length: begun.length })) };
  }

  /** All is set: run, or show where it begins. */
  #begin(): void {
    if (this.#arguments?.stopOnEntry) this.#stopped(this.#threads[0]!, 'entry');
    else this.#resume(this.#threads[0]!, { kind: 'run' }, false);
  }

  #print(output: string, category: 'stdout' | 'console'): void {
    this.sendEvent(new OutputEvent(output, category));
  }

  /** The machine is to end. */
  #terminate(): void {
    if (!this.#over) this.sendEvent(new TerminatedEvent());
    this.#over = true;
    if (this.#launched) this.#launched.leave();
    else this.startBy.gone();
  }

  /** The client goes: a machine that it launched ends; one that it attached to runs on, unless it says otherwise. */
  #disconnect({ terminateDebuggee, suspendDebuggee = false }: Dap.DisconnectArguments): void {
    this.#over = true;
    const ends = terminateDebuggee ?? this.startBy.request === 'launch';
    if (this.#launched && ends) this.#launched.leave();
    else this.detach(suspendDebuggee);
  }

  /** Take back all that it has set, and let what it has stopped run. */
  detach(suspend = false): void {
    const client = this.#client;
    this.#client = undefined;
    this.#over = true;
    if (client) {
      this.#traps.catch([]);
      this.#console.close();
      this.#debug.leave(client);
      if (!suspend) this.#debug.resume(new Map(this.#threads.map((target) => [target, { kind: 'run' }])));
    }
    this.startBy.gone();
  }

  #thread(id: number): Target {
    const target = this.#threads[id - 1];
    if (!target) throw new Error(`there is no thread ${id}`);
    return target;
  }

  #restart(): void {
    this.#launched!.restart();
    this.#view.forget();
    this.#debug.resume(new Map(this.#threads.map((target) => [target, { kind: 'run' }])));
  }

  /** Let a target run so, and the others, unless it is alone, as they please. */
  #resume(target: Target, resumption: Resumption, alone = this.#arguments?.stopAll === false): void {
    this.#view.forget();
    this.#traps.forget();
    const stopped = this.#threads.filter((each) => each === target || (!alone && this.#debug.isStopped(each)));
    this.#debug.resume(new Map(stopped.map((each) => [each, each === target ? resumption : { kind: 'run' }])));
  }

  #stepBy(kind: StepKind, { threadId, granularity, singleThread }: Dap.NextArguments): void {
    const target = this.#thread(threadId);
    const step = new Step(target, this.#programs.of(target.process), kind, granularity === 'instruction');
    this.#step = { target, step };
    this.#act(step.begin(), target, singleThread);
  }

  #act(action: ReturnType<Step['next']>, target: Target, alone?: boolean): void {
    if (action.kind === 'done') this.#stopped(target, 'step');
    else if (action.kind === 'run') {
      this.#breakpoints.set('step', []);
      this.#resume(target, action.resumption, alone);
    } else {
      const placed: Placed = { breakpoint: action.breakpoint, targets: new Set([target]), reason: 'step' };
      this.#breakpoints.set('step', [placed]);
      this.#resume(target, { kind: 'run' }, alone);
    }
  }

  #hear(events: readonly StopEvent[]): void {
    let told = false;
    const { busy } = this.#console;
    for (const event of events) {
      if (event.kind === 'ended') this.#ended(event);
      else if (!told && !busy) told = this.#stops(event);
    }
    if (busy) this.#console.hear(events);
  }

  /** True where the client hears of it. */
  #stops(event: Exclude<StopEvent, { kind: 'ended' }>): boolean {
    const { target } = event;
    if (event.kind === 'trap') {
      const [description = '', ...rest] = event.stop.lines;
      return this.#stopped(target, 'exception', { description, text: rest.join('\n') });
    }
    if (event.kind === 'present') return this.#stopped(target, 'step', { description: 'the present' });
    const trap = this.#traps.caught(target);
    if (trap) return this.#stopped(target, 'exception', { description: trap.kind, text: trap.kind });
    const placed = 'hit' in event ? this.#breakpoints.find(event.hit.breakpoint) : undefined;
    const ours = event.kind === 'step' || placed?.reason === 'step';
    if (ours && this.#step?.target === target) {
      this.#act(this.#step.step.next(), target);
      return false;
    }
    if (event.kind === 'step') return this.#stopped(target, 'step');
    return this.#stopped(
      target,
      placed?.reason ?? 'breakpoint',
      placed?.id === undefined ? {} : { hitBreakpointIds: [placed.id] },
    );
  }

  #stopped(target: Target, reason: string, more: Partial<Dap.StoppedEvent['body']> = {}): true {
    const all = this.#arguments?.stopAll !== false;
    this.#step = undefined;
    this.#breakpoints.set('step', []);
    if (all) this.#debug.stop(this.#threads);
    this.#inspector.current = target;
    this.#view.forget();
    const event: Dap.StoppedEvent = new StoppedEvent(reason, this.#threads.indexOf(target) + 1);
    Object.assign(event.body, { allThreadsStopped: all, ...more });
    this.sendEvent(event);
    return true;
  }

  #ended({ process, ending }: Extract<StopEvent, { kind: 'ended' }>): void {
    for (const target of process.targets) {
      const id = this.#threads.indexOf(target) + 1;
      if (id > 0) this.sendEvent(new ThreadEvent('exited', id));
    }
    if (this.#over || this.#threads.some((target) => !target.process.ending)) return;
    this.#over = true;
    const event: Dap.ExitedEvent = Object.assign(new Event('exited'), {
      event: 'exited' as const,
      body: { exitCode: exitStatus(ending) },
    });
    this.sendEvent(event);
    this.sendEvent(new TerminatedEvent());
  }

  #back(threadId: number, how: Dap.SteppingGranularity | 'continue'): void {
    const target = this.#thread(threadId);
    const { history } = this.#debug;
    if (!history) throw new Error('no history is kept: "history" in launch.json is 0');
    this.#debug.stop(this.#threads);
    const end =
      how === 'continue'
        ? history.continueBack(this.#threads)
        : lineBack(history, target, this.#programs.of(target.process), how === 'instruction');
    // Behind the answer, as for every other run
    setImmediate(() => {
      if (end.kind === 'beginning')
        this.#stopped(target, 'entry', { description: 'the beginning of what is remembered' });
      else if ('hit' in end.event)
        this.#stopped(end.event.target, this.#breakpoints.find(end.event.hit.breakpoint)?.reason ?? 'breakpoint');
      else this.#stopped(target, 'step');
    });
  }
}

/** Requests that are answered before there is a machine. */
const beforeLaunch: ReadonlySet<string> = new Set(['initialize', 'launch', 'attach', 'disconnect', 'terminate']);
