import { BlockList, isIP } from 'node:net'

/** Addresses and CIDR blocks, as a key's `allowedIPs` has them. */
export function isAddressOrBlock(text: string): boolean {
  const [address, bits, ...more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}

/** A test for an address; undefined where every address may. */
export function allowedBy(allowedIps: readonly string[]): ((address: string) => boolean) | undefined {
  if (allowedIps.length === 0) return undefined
  const list = new BlockList()
  for (const entry of allowedIps.filter(isAddressOrBlock)) {
    const [address, bits] = entry.split('/')
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return (address) => {
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '') // an IPv4 peer on a dual-stack socket
    const family = isIP(plain)
    return family !== 0 && list.check(plain, family === 4 ? 'ipv4' : 'ipv6')
  }
}
