export { placeCall } from './place-call.ts'
export type { CallEnd, CallEvidence, CallHooks, CallOrder, CallResult, CallStep, VoiceDeps } from './types.ts'
