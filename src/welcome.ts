/** What a first-time user sees after `npm start`: lines to paste, in order, that end with a verified PIN. */
export function welcome(facts: {
  url: string
  apiKey: string
  /** `user:password` of the default account. */
  login: string
  sandbox: boolean
  made: string[]
  dataDir: string
}): string {
  const { url, apiKey, login, sandbox, made, dataDir } = facts
  const head = [`Pincall is ready at ${url}  (API and try-out page: ${url}/docs)`]
  if (made.length > 0) head.push(`Made just now, readable by you only: ${made.join(', ')}`)
  if (made.some((file) => file.includes('password')))
    head.push(`Login of the default account, for HTTP Basic: ${login}`)
  if (!sandbox) return `\n${head.join('\n')}\n\n`
  return `
${head.join('\n')}
The sandbox is on: calls ring scripted phones inside this program, nobody is called and nothing is paid.
${url}/sandbox/ shows what arrives on them.

Paste this into a second terminal, line by line or as a whole: a PIN goes out by SMS, then a real SIP call speaks it.

  export PINCALL=${url} KEY=${apiKey}
  json() { node -pe "JSON.parse(fs.readFileSync(0))$1"; }
  post() { curl -s -X POST "$PINCALL$1" -H "Authorization: App $KEY" -H 'Content-Type: application/json' -d "$2"; }
  APP=$(post /2fa/2/applications '{"name":"my first application"}' | json .applicationId)
  MSG=$(post /2fa/2/applications/$APP/messages '{"pinType":"NUMERIC","pinLength":6,"messageText":"Your code is {{pin}}","language":"en"}' | json .messageId)
  PIN=$(post /2fa/2/pin '{"applicationId":"'$APP'","messageId":"'$MSG'","to":"41793026727"}' | json .pinId)
  post /2fa/1/pin/$PIN/resend/voice; echo
  CODE=$(curl -s "$PINCALL/sandbox/pins?to=41793026727&wait=20" | json '[0].code'); echo "the phone heard $CODE"
  post /2fa/1/pin/$PIN/verify '{"pin":"'$CODE'"}'; echo

The call takes about ten seconds and answers "callStatus":"PROCESSED". Numbers ending in 90 to 99 are busy, voicemail and
worse: ${url}/sandbox/handsets. \`npm run demo\` tells the same story by itself. Stop with Ctrl-C; data stays in ${dataDir}.

`
}
