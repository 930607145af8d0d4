import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { trapNames } from '../../hypervisor/exit-detail.js';

/** What a client may ask for. */
export const capabilities: Dap.Capabilities = {
  supportsConfigurationDoneRequest: true,
  supportsFunctionBreakpoints: true,
  supportsConditionalBreakpoints: true,
  supportsHitConditionalBreakpoints: true,
  supportsLogPoints: true,
  supportsInstructionBreakpoints: true,
  supportsDataBreakpoints: true,
  supportsDataBreakpointBytes: true,
  supportsEvaluateForHovers: true,
  supportsStepBack: true,
  supportsSteppingGranularity: true,
  supportsSingleThreadExecutionRequests: true,
  supportsSetVariable: true,
  supportsReadMemoryRequest: true,
  supportsWriteMemoryRequest: true,
  supportsDisassembleRequest: true,
  supportsExceptionInfoRequest: true,
  supportsLoadedSourcesRequest: true,
  supportsTerminateRequest: true,
  supportsRestartRequest: true,
  supportsCompletionsRequest: true,
  supportTerminateDebuggee: true,
  supportSuspendDebuggee: true,
  exceptionBreakpointFilters: trapNames.map((kind) => ({
    filter: kind,
    label: kind,
    description: `stop where a program enters its handler for ${kind}`,
  })),
};
