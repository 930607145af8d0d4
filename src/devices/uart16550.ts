import { assert } from '../bus/assert.js';
import type { Device, Line, Width } from '../bus/bus.js';
import { Alarm, type Clock } from '../bus/clock.js';
import { LINE_ERRORS, LSR_BIT, Receiver16550, type CharacterError } from './receiver16550.js';

// Names, offsets and bits are those of National Semiconductor's PC16550D data sheet, section 8.

/** Offsets of the byte registers. Offsets 0 and 1 reach the divisor latch while LCR[DLAB] is set. */
const RBR_THR = 0;
const IER = 1;
const IIR_FCR = 2;
const LCR = 3;
const MCR = 4;
const LSR = 5;
const MSR = 6;
const SCR = 7;

const enable = { ERBFI: 0x01, ETBEI: 0x02, ELSI: 0x04, EDSSI: 0x08 } as const;
const cause = { modemStatus: 0x00, none: 0x01, holdingEmpty: 0x02, received: 0x04, lineStatus: 0x06, timeOut: 0x0c };
const control = { setBreak: 0x40, DLAB: 0x80 } as const;
const modem = { DTR: 0x01, RTS: 0x02, OUT1: 0x04, OUT2: 0x08, LOOP: 0x10, all: 0x1f } as const;

/** The modem's inputs, as MSR shows them. */
export const MODEM_INPUT = { CTS: 0x10, DSR: 0x20, RI: 0x40, DCD: 0x80 } as const;

const FIFOS_ENABLED = 0xc0; // in IIR

/** Reads of LSR in a row that make a guest one that polls for input; waiting for the transmitter never takes so many. */
const POLLS = 16;
/** How long the set-up must have stood before an enabled receiver interrupt is believed; see `listening`. */
const SETTLE_CHARACTERS = 16;

/** The registers that are not the receiver's, and what is known of the guest's intentions. */
const initialState = (divisor: number) => ({
  /** The holding register has become empty, and neither a read of IIR nor a new byte has acknowledged it. */
  emptied: false,
  ier: 0,
  lcr: 0,
  mcr: 0,
  scr: 0,
  divisor,
  /** What the far end drives onto the modem's inputs. */
  modemInputs: MODEM_INPUT.CTS | MODEM_INPUT.DSR | MODEM_INPUT.DCD,
  /** MSR's low half: which modem inputs changed since it was read. */
  deltas: 0,
  /** The cycle at which the set-up has stood long enough; 0 once it has. */
  settledAt: 0,
  /** Reads of LSR in a row, up to POLLS. */
  polls: 0,
});

/**
 * NS16550A serial port: eight byte registers. A wider access reads or writes the byte registers it covers in ascending
 * order, the first as the most significant byte, as a bus does that cuts it up for a byte-wide device; bytes behind the
 * last register read as 0.
 *
 * Transmission is instantaneous, so the holding register is always empty again at once. Characters are always carried
 * whole: the frame that LCR sets up, and the speed that the divisor sets, change nothing. As on the 440EP, which brings
 * no OUT2 pin out, MCR[OUT2] does not gate the interrupt.
 */
export class Uart16550 extends Alarm implements Device {
  /** Everything a snapshot needs; interrupt and status registers are derived from it. */
  readonly state: ReturnType<typeof initialState> & { readonly receiver: Receiver16550['state'] };
  readonly #receiver: Receiver16550;
  /** Called after anything that may have changed `listening` or `room`. */
  onChange: () => void = () => {};

  /**
   * `transmit` takes each byte that the guest sends. `cyclesPerCharacter` is how many cycles of `clock` one character
   * takes on the wire, at least 1. `divisor`, 1 to 65535, is what the boot firmware has left in the divisor latch.
   */
  constructor(
    private readonly irq: Line,
    private readonly transmit: (byte: number) => void,
    private readonly clock: Clock,
    readonly cyclesPerCharacter: number,
    private readonly divisor = 1,
  ) {
    super();
    assert(cyclesPerCharacter >= 1, 'a character takes time');
    this.#receiver = new Receiver16550(clock, cyclesPerCharacter);
    this.state = { ...initialState(divisor), receiver: this.#receiver.state };
    clock.add(this);
  }

  /** A character arrives from the far end, maybe damaged. Loopback cuts the wire: it is lost while MCR[LOOP] is set. */
  receive(byte: number, error?: CharacterError): void {
    if (!this.#loop) this.#receiver.accept(byte, error);
    this.#drive();
  }

  /** A character arrives damaged; by an overrun, it is lost. */
  receiveDamaged(byte: number, error: CharacterError | 'overrun'): void {
    if (error !== 'overrun') return this.receive(byte, error);
    if (!this.#loop) this.#receiver.overrun();
    this.#drive();
  }

  /** The far end holds the line at space for longer than a character. */
  receiveBreak(): void {
    this.receive(0, 'break');
  }

  /** How many characters the receiver can take before it overruns; none while loopback cuts the wire. */
  get room(): number {
    return this.#loop ? 0 : this.#receiver.room;
  }

  /**
   * Whether the guest appears to wait for input, so that bytes sent now are not lost while it still probes the port or
   * sets it up: either its receiver interrupt is enabled and has been for 16 character times since it last set the
   * port up (IER[ERBFI], FCR, LCR or MCR written: Linux's autoconfig enables everything for a moment, and its start-up
   * clears the FIFOs after it enabled the interrupt), or it has read LSR 16 times in a row without touching the data
   * and FIFO registers. Never while LOOP or DLAB is set. It can become true by time alone, at an alarm.
   */
  get listening(): boolean {
    const { state } = this;
    if (this.#loop || this.#dlab) return false;
    if (state.polls >= POLLS) return true;
    return (state.ier & enable.ERBFI) !== 0 && this.clock.now >= state.settledAt;
  }

  /** What the far end drives onto the modem's inputs: bits of `MODEM_INPUT`. At first CTS, DSR and DCD. */
  setModemInputs(inputs: number): void {
    this.#changeModem(() => {
      this.state.modemInputs = inputs & 0xf0;
    });
    this.#drive();
  }

  /**
   * Master reset. Registers that the data sheet leaves alone get the values they had at first, so that runs repeat; the
   * modem's inputs stay, since the far end drives them.
   */
  reset(): void {
    const { modemInputs } = this.state;
    Object.assign(this.state, initialState(this.divisor), { modemInputs });
    this.#receiver.reset();
    this.#drive();
  }

  /** Take over a state that was saved, of the same cycle of the clock. */
  restore(saved: Uart16550['state']): void {
    const { receiver, ...own } = structuredClone(saved);
    Object.assign(this.state, own);
    Object.assign(this.state.receiver, receiver);
    this.#drive();
  }

  read(offset: number, width: Width): number {
    let value = 0;
    let changes = false;
    for (let at = offset; at < offset + width; at++) {
      value = value * 256 + this.#register(at);
      if (this.#acknowledge(at)) changes = true;
    }
    if (changes) this.#drive();
    return value;
  }

  peek(offset: number, width: Width): number {
    let value = 0;
    for (let at = offset; at < offset + width; at++) value = value * 256 + this.#register(at);
    return value;
  }

  write(offset: number, width: Width, value: number): void {
    let changes = false;
    for (let i = 0; i < width; i++)
      if (this.#writeRegister(offset + i, (value >>> (8 * (width - 1 - i))) & 0xff)) changes = true;
    if (changes) this.#drive();
  }

  /** The next cycle at which time alone changes something: the character time-out, or the set-up settling. */
  get #nextChange(): number {
    const { state } = this;
    if ((state.ier & enable.ERBFI) === 0) return Infinity;
    return Math.min(this.#receiver.due, state.settledAt > 0 ? state.settledAt : Infinity);
  }

  ring(): void {
    this.#receiver.ring();
    if (this.clock.now >= this.state.settledAt) this.state.settledAt = 0;
    this.#drive();
  }

  /** What a read of a register gives. */
  #register(offset: number): number {
    const { state } = this;
    switch (offset) {
      case RBR_THR:
        return this.#dlab ? state.divisor & 0xff : this.#receiver.next;
      case IER:
        return this.#dlab ? state.divisor >> 8 : state.ier;
      case IIR_FCR:
        return this.#cause | (this.#receiver.fifos ? FIFOS_ENABLED : 0);
      case LCR:
        return state.lcr;
      case MCR:
        return state.mcr;
      case LSR:
        return LSR_BIT.THRE | LSR_BIT.TEMT | this.#receiver.lineStatus;
      case MSR:
        return this.#modemLines | state.deltas;
      case SCR:
        return state.scr;
      default:
        return 0;
    }
  }

  /** What else a read of a register does. Gives whether that could be seen from outside. */
  #acknowledge(offset: number): boolean {
    const { state } = this;
    switch (offset) {
      case RBR_THR:
        if (this.#dlab) return false;
        this.#receiver.take();
        state.polls = 0;
        return true;
      case IIR_FCR:
        if (this.#cause !== cause.holdingEmpty) return false;
        state.emptied = false;
        return true;
      case LSR: {
        const hadErrors = this.#receiver.clearErrors();
        return this.#polled() || hadErrors;
      }
      case MSR:
        state.deltas = 0;
        return true;
      default:
        return false;
    }
  }

  /** LSR has been read once more. Whether the guest is from now on one that polls. */
  #polled(): boolean {
    const { state } = this;
    if (state.polls === POLLS || this.#loop || this.#dlab) return false;
    state.polls += 1;
    return state.polls === POLLS;
  }

  /** Gives whether that could be seen from outside. */
  #writeRegister(offset: number, value: number): boolean {
    const { state } = this;
    switch (offset) {
      case RBR_THR:
        if (!this.#dlab) return this.#send(value);
        state.divisor = (state.divisor & 0xff00) | value;
        return false;
      case IER:
        if (this.#dlab) state.divisor = (value << 8) | (state.divisor & 0xff);
        else this.#writeEnables(value & 0x0f);
        return true;
      case IIR_FCR:
        this.#receiver.writeControl(value);
        this.#setUp();
        return true;
      case LCR:
        this.#writeLineControl(value);
        return true;
      case MCR:
        this.#changeModem(() => {
          state.mcr = value & modem.all;
        });
        this.#setUp();
        return true;
      case SCR:
        state.scr = value;
        return false;
      default:
        return false;
    }
  }

  #writeEnables(value: number): void {
    const { state } = this;
    const risen = value & ~state.ier;
    state.ier = value;
    if (risen & enable.ETBEI) state.emptied = true; // the holding register is empty
    if (risen & enable.ERBFI) this.#settle();
  }

  #writeLineControl(value: number): void {
    const breaks = value & ~this.state.lcr & control.setBreak;
    this.state.lcr = value;
    if (breaks && this.#loop) this.#receiver.accept(0, 'break');
    this.#setUp();
  }

  #send(byte: number): boolean {
    const { state } = this;
    const changes = this.#loop || state.polls === POLLS || (!state.emptied && (state.ier & enable.ETBEI) !== 0);
    state.emptied = true;
    state.polls = 0;
    if (this.#loop) this.#receiver.accept(byte);
    else this.transmit(byte);
    return changes;
  }

  /** The guest is setting the port up: whatever it seemed to listen for, it is not ready yet. */
  #setUp(): void {
    this.state.polls = 0;
    this.#settle();
  }

  #settle(): void {
    this.state.settledAt = this.clock.now + SETTLE_CHARACTERS * this.cyclesPerCharacter;
  }

  /** Do something that may change the modem lines that the guest sees, and note which did. */
  #changeModem(change: () => void): void {
    const before = this.#modemLines;
    change();
    const changed = before ^ this.#modemLines;
    const { CTS, DSR, RI, DCD } = MODEM_INPUT;
    const trailingEdge = changed & before & RI; // of the ring indicator only its end counts
    this.state.deltas |= ((changed & (CTS | DSR | DCD)) | trailingEdge) >> 4;
  }

  get #dlab(): boolean {
    return (this.state.lcr & control.DLAB) !== 0;
  }

  get #loop(): boolean {
    return (this.state.mcr & modem.LOOP) !== 0;
  }

  /** MSR's high half: the far end's, or in loopback the modem control outputs. */
  get #modemLines(): number {
    if (!this.#loop) return this.state.modemInputs;
    const { mcr } = this.state;
    return (
      (mcr & modem.RTS ? MODEM_INPUT.CTS : 0) |
      (mcr & modem.DTR ? MODEM_INPUT.DSR : 0) |
      (mcr & modem.OUT1 ? MODEM_INPUT.RI : 0) |
      (mcr & modem.OUT2 ? MODEM_INPUT.DCD : 0)
    );
  }

  /** IIR's low half: the most urgent condition that is enabled, computed afresh so that it cannot go stale. */
  get #cause(): number {
    const { ier, emptied, deltas } = this.state;
    const receiver = this.#receiver;
    if (ier & enable.ELSI && receiver.lineStatus & LINE_ERRORS) return cause.lineStatus;
    if (ier & enable.ERBFI && receiver.triggered) return cause.received;
    if (ier & enable.ERBFI && receiver.timedOut) return cause.timeOut;
    if (ier & enable.ETBEI && emptied) return cause.holdingEmpty;
    if (ier & enable.EDSSI && deltas) return cause.modemStatus;
    return cause.none;
  }

  #drive(): void {
    this.irq.set(this.#cause !== cause.none);
    this.due = this.#nextChange;
    this.onChange();
  }
}
