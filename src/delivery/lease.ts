/** Another node took the delivery over: nothing may leave this machine for it, and nothing of it is ours to write. */
export const LOST_LEASE = 'lost_lease'
