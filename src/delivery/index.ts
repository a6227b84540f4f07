export { type Circumstances, type Outcome, outcomeOf } from './outcome.ts'
export { type Deliveries, runDeliveries } from './run.ts'
export type { DeliveryDeps, Observation, SmsGateway } from './types.ts'
