import {
  DebugSession,
  Event,
  InitializedEvent,
  OutputEvent,
  Response,
  StoppedEvent,
  TerminatedEvent,
  ThreadEvent,
} from '@vscode/debugadapter';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { exitStatus } from '../../board/machine.js';
import type { Resumption, StopEvent } from '../../debug/debugger.js';
import type { Target } from '../../debug/target.js';
import { capabilities } from './capabilities.js';
import { DapBreakpoints, type Placed } from './breakpoints.js';
import { Inspector } from './inspector.js';
import type { Programs } from './programs.js';
import { Step, type StepKind } from './stepping.js';
import { TrapCatcher } from './traps.js';
import { sourceOf, View } from './view.js';
import type { LaunchArguments, Launched } from '../dap.js';

/** Going back by a line gives up after so many instructions. */
const LONGEST_STEP_BACK = 500;

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
  #launch: LaunchArguments | undefined;
  #inspector!: Inspector;
  #over = false;

  /** `gone`: the client left before anything was launched. */
  constructor(
    private readonly launch: (args: LaunchArguments, say: (text: string) => void) => Promise<Launched>,
    private readonly gone: () => void,
  ) {
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
      this.#behind(request.command);
    } catch (error) {
      this.sendErrorResponse(response, { id: 1, format: (error as Error).message, showUser: true });
    }
  }

  /** What follows an answer. */
  #behind(command: string): void {
    if (command === 'launch') this.sendEvent(new InitializedEvent());
    if (command === 'configurationDone') this.#begin();
    if (command === 'disconnect' || command === 'terminate') this.#leave(command === 'terminate');
  }

  readonly #handlers: Readonly<Record<string, Handler>> = {
    initialize: () => capabilities,
    launch: (args: LaunchArguments) => this.#start(args),
    attach: () => {
      throw new Error('hv440 dap runs what it debugs: use a request "launch"');
    },
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
      this.#inspector.evaluate(expression, frameId, context),
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

  async #start(args: LaunchArguments): Promise<void> {
    if (this.#launched) throw new Error('something has been launched already');
    this.#launch = args;
    const launched = await this.launch(args, (text) => this.#print(text, 'stdout'));
    const { debug, programs } = launched;
    this.#launched = launched;
    this.#programs = programs;
    this.#threads = debug.targets.filter(({ runs }) => runs);
    this.#view = new View(programs, launched.traps);
    this.#inspector = new Inspector(launched, this.#view, this.#threads);
    const client = { scope: debug.targets, stopped: (events: readonly StopEvent[]) => this.#hear(events) };
    debug.join(client);
    this.#breakpoints = new DapBreakpoints(debug, client, programs, (text) => this.#print(text, 'console'));
    this.#traps = new TrapCatcher(launched.machine);
  }

  /** All is set: run, or show where it begins. */
  #begin(): void {
    if (this.#launch?.stopOnEntry) this.#stopped(this.#threads[0]!, 'entry');
    else this.#resume(this.#threads[0]!, { kind: 'run' });
  }

  #print(output: string, category: 'stdout' | 'console'): void {
    this.sendEvent(new OutputEvent(output, category));
  }

  #leave(told: boolean): void {
    if (told && !this.#over) this.sendEvent(new TerminatedEvent());
    this.#over = true;
    if (this.#launched) this.#launched.leave();
    else this.gone();
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
  #resume(target: Target, resumption: Resumption, alone = this.#launch?.stopAll === false): void {
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
    for (const event of events) {
      if (event.kind === 'ended') this.#ended(event);
      else if (!told) told = this.#stops(event);
    }
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
    const all = this.#launch?.stopAll !== false;
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
      how === 'continue' ? history.continueBack(this.#threads) : this.#lineBack(target, how === 'instruction');
    // Behind the answer, as for every other run
    setImmediate(() => {
      if (end.kind === 'beginning')
        this.#stopped(target, 'entry', { description: 'the beginning of what is remembered' });
      else if ('hit' in end.event)
        this.#stopped(end.event.target, this.#breakpoints.find(end.event.hit.breakpoint)?.reason ?? 'breakpoint');
      else this.#stopped(target, 'step');
    });
  }

  /** To the beginning of the line before, or by one instruction. */
  #lineBack(target: Target, byInstruction: boolean) {
    const history = this.#debug.history!;
    const program = this.#programs.of(target.process);
    const where = () => program.sourceOf(target.registers.get('pc'));
    const start = where();
    let end = history.stepBack(target);
    for (let i = 1; !byInstruction && start && i < LONGEST_STEP_BACK && end.kind !== 'beginning'; i++) {
      const here = where();
      const begins = here?.statement && here.from === target.registers.get('pc');
      if (begins && (here.file !== start.file || here.line !== start.line)) break;
      end = history.stepBack(target);
    }
    return end;
  }
}

/** Requests that are answered before there is a machine. */
const beforeLaunch: ReadonlySet<string> = new Set(['initialize', 'launch', 'attach', 'disconnect', 'terminate']);
