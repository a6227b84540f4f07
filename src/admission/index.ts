export { destinationRefusal } from './destination.ts'
export { countedByCheck, countedByResend, countedBySend, type ResendLimits } from './limits.ts'
