export { ceilingOf, chargeFor, type Price } from './reserve.ts'
