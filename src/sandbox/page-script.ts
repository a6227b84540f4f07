/** Runs in the browser. It asks for what changed, waiting, and redraws only what is new: a playing sound goes on. */
export const SCRIPT = `
'use strict'
const at = (id) => document.getElementById(id)
const make = (tag, className, text) => {
  const node = document.createElement(tag)
  if (className) node.className = className
  if (text !== undefined) node.textContent = text
  return node
}
const get = async (path) => {
  const response = await fetch(path)
  const body = await response.json()
  if (!response.ok) throw Object.assign(new Error(body.error), { told: true })
  return body
}
const seconds = (from, to) => ((new Date(to) - new Date(from)) / 1000).toFixed(1) + ' s'
const drawn = new Map() // key of an arrival → { seen, node }

function factsOf(call) {
  const facts = [['who', call.handset]]
  if (!call.ringingAt && !call.status) facts.push(['now', 'arriving'])
  if (call.ringingAt && !call.answeredAt && !call.endedAt) facts.push(['now', 'ringing'])
  if (call.answeredAt && !call.endedAt) facts.push(['now', 'talking'])
  if (call.answeredAt) facts.push(['', 'rang ' + seconds(call.ringingAt || call.startedAt, call.answeredAt)])
  else if (call.ringingAt && call.endedAt) facts.push(['', 'rang ' + seconds(call.ringingAt, call.endedAt)])
  if (call.answeredAt && call.endedAt) facts.push(['', 'talked ' + seconds(call.answeredAt, call.endedAt)])
  if (call.status && call.status !== 200) facts.push(['bad', call.status === 487 ? 'caller gave up' : 'refused, SIP ' + call.status])
  if (call.answeredAt && call.endedBy) facts.push(['', call.endedBy === 'lost' ? 'line lost' : call.endedBy + ' hung up'])
  if (call.keys) facts.push(['good', 'pressed ' + call.keys.split('').join(' ')])
  facts.push(['', call.trunk])
  return facts
}

function codeLine(code, how) {
  const line = make('div', 'heard')
  const copy = make('button', '', 'Copy')
  copy.type = 'button'
  copy.setAttribute('aria-label', 'Copy the code ' + code.split('').join(' '))
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(code)
    copy.textContent = 'Copied'
    setTimeout(() => { copy.textContent = 'Copy' }, 1500)
  })
  const shown = make('span', 'code', code)
  line.append(shown, make('span', 'quiet', how), copy)
  return line
}

function draw(arrival) {
  const item = make('li')
  const top = make('div', 'top')
  const when = make('time', '', new Date(arrival.when).toLocaleTimeString())
  when.dateTime = arrival.when
  top.append(make('span', 'kind', arrival.callId ? 'Call' : 'Text'), make('span', 'number', '+' + arrival.to),
    make('span', 'quiet', 'from ' + arrival.from), when)
  item.append(top)
  if (arrival.messageId) {
    item.append(make('p', 'text', arrival.text))
    if (arrival.code) item.append(codeLine(arrival.code, 'found in the text'))
    return item
  }
  const facts = make('ul', 'facts')
  for (const [className, text] of factsOf(arrival)) facts.append(make('li', className, text))
  item.append(facts)
  if (arrival.code) item.append(codeLine(arrival.code, 'heard in the sound of the call, ' + Math.round(arrival.confidence * 100) + ' % sure'))
  if (arrival.audio) {
    const audio = make('audio')
    audio.controls = true
    audio.preload = 'metadata'
    audio.src = arrival.audio
    audio.setAttribute('aria-label', 'What the phone +' + arrival.to + ' heard')
    item.append(audio)
  }
  return item
}

function show(calls, messages) {
  const arrivals = [...calls.map((call) => ({ ...call, when: call.startedAt })), ...messages.map((text) => ({ ...text, when: text.at }))]
    .sort((a, b) => (a.when < b.when ? 1 : -1)).slice(0, 100)
  const list = at('arrivals')
  const keys = new Set()
  let before = null
  for (const arrival of arrivals) {
    const key = arrival.callId || arrival.messageId
    const seen = JSON.stringify(arrival)
    keys.add(key)
    const old = drawn.get(key)
    let node = old && old.node
    if (!old || old.seen !== seen) {
      node = draw(arrival)
      if (old) old.node.replaceWith(node)
      drawn.set(key, { seen, node })
      if (arrival.code && !(old && old.code)) at('now').textContent = 'Code ' + arrival.code.split('').join(' ') + ' at ' + arrival.to
    }
    const place = before ? before.nextSibling : list.firstChild
    if (place !== node) list.insertBefore(node, place)
    before = node
  }
  for (const [key, { node }] of drawn) if (!keys.has(key)) { node.remove(); drawn.delete(key) }
  at('nothing').hidden = arrivals.length > 0
}

function say(className, text) {
  at('state').className = className
  if (at('state').textContent !== text) at('state').textContent = text
}

let asked = 0
async function refresh() {
  const mine = ++asked
  const number = at('to').value.trim()
  const query = number ? '?to=' + encodeURIComponent(number) : ''
  try {
    const [calls, messages] = await Promise.all([get('/sandbox/calls' + query), get('/sandbox/messages' + query)])
    if (mine === asked) { show(calls, messages); say('live', 'live') }
  } catch (error) {
    if (!error.told) throw error
    if (mine === asked) say('', 'not a number yet')
  }
}

async function follow() {
  let seen = -1
  for (;;) {
    try {
      const { changes } = await get('/sandbox/changes?wait=25&seen=' + seen)
      if (changes !== seen) await refresh()
      seen = changes
      await new Promise((resolve) => setTimeout(resolve, 200)) // many things happen together
    } catch {
      say('', 'Pincall does not answer; trying again')
      await new Promise((resolve) => setTimeout(resolve, 2000))
    }
  }
}

async function table() {
  for (const { ending, name, does, callStatus } of await get('/sandbox/handsets')) {
    const row = make('tr')
    const who = make('td', '', does)
    who.title = name
    who.append(make('small', '', callStatus))
    row.append(make('td', '', ending), who)
    at('handsets').append(row)
  }
}

at('curl').textContent = "curl '" + location.origin + "/sandbox/pins?to=41793026727&wait=20'"
at('to').addEventListener('input', () => refresh().catch(() => {}))
table().catch(() => {})
follow()
`
