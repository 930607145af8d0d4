import { HV440, type Properties } from './binding.js';

/** The faults that a step can inject, with the properties that each must have and those that it may have. */
export const injections = {
  crash: { needs: [], takes: [] },
  'bit-flip': { needs: ['address'], takes: ['bit'] },
  'bus-error': { needs: ['device'], takes: ['count', 'during'] },
  'lost-interrupt': { needs: ['device'], takes: ['during'] },
  'spurious-interrupt': { needs: ['device'], takes: [] },
  parity: { needs: [], takes: [] },
  framing: { needs: [], takes: [] },
  break: { needs: [], takes: [] },
  overrun: { needs: [], takes: [] },
  flood: { needs: ['text'], takes: ['device'] },
  congestion: { needs: [], takes: ['device', 'during'] },
} as const satisfies Readonly<Record<string, { readonly needs: readonly string[]; readonly takes: readonly string[] }>>;
export type InjectionWord = keyof typeof injections;

/** What says more about a fault. */
export const injectionParts = ['address', 'bit', 'device', 'count', 'during', 'text'] as const;

/** The fault that a step injects, and what is said about it. */
export const injectionProperties: Properties = {
  inject: {
    type: 'string',
    values: Object.keys(injections),
    otherwise: 'nothing',
    meaning:
      'A fault, as an input of the run: the partition dies as by a machine check (`crash`); a bit of its memory is inverted; a device of it answers with bus errors; an interrupt of it is lost, or comes without a cause; a character arrives at the stream with an error of `parity` or `framing`, as a `break`, or is lost by an `overrun`; `text` arrives all at once (`flood`); the far end of a byte channel takes nothing (`congestion`).',
    source: HV440,
    example: '"bus-error"',
  },
  address: {
    type: 'cell',
    min: 0,
    max: 0xffffffff,
    otherwise: 'an error where the fault needs it',
    meaning: 'Of `bit-flip`: the guest-physical address of the byte.',
    source: HV440,
    example: '<0x10000>',
  },
  bit: {
    type: 'cell',
    min: 0,
    max: 7,
    default: 0,
    meaning: 'Of `bit-flip`: which bit of the byte, 0 the least significant.',
    source: HV440,
    example: '<3>',
  },
  device: {
    type: 'string',
    otherwise: 'an error where the fault needs it',
    meaning:
      'The device of the partition, by its node, that answers so or that the interrupt is of. Of `flood` and `congestion`: its byte channel that leads to another partition, in place of the stream.',
    source: HV440,
    example: '"serial@ef600300"',
  },
  count: {
    type: 'cell',
    min: 1,
    max: 0xffffffff,
    otherwise: '1, or with `during` all',
    meaning: 'Of `bus-error`: how many accesses are answered so.',
    source: HV440,
    example: '<2>',
  },
  during: {
    type: 'duration',
    otherwise: 'for good, or until its count is reached',
    meaning: 'How long the fault lasts.',
    source: HV440,
    example: '"2 ms"',
  },
  text: {
    type: 'string',
    otherwise: 'an error where the fault needs it',
    meaning: 'Of `flood`: what arrives.',
    source: HV440,
    example: '"0123456789abcdef0123456789abcdef"',
  },
};
