/**
 * Signing in at an OpenID Connect issuer: an authorization code with PKCE, redeemed and renewed by the
 * page, as a public client. Loaded only where the server names an issuer.
 */
import * as oauth from 'oauth4webapi'

import type { OpenId } from '../api/types'
import { claimsIn, type Credential } from '../session'

/** Seconds that this machine's clock and the issuer's may differ. */
const CLOCK_SKEW = 300
/** Seconds before its end in which a token is renewed. */
const MARGIN = 30
/** Milliseconds that signing out waits for the issuer. */
const PATIENCE = 3000

/** Why nobody could be signed in; the page words it. */
export type Reason = 'insecure' | 'unreachable' | 'elsewhere' | 'audience' | 'cancelled' | 'refused'

export class SignInFailed extends Error {
  constructor(
    readonly reason: Reason,
    readonly detail = '',
  ) {
    super(`${reason}: ${detail}`)
  }
}

/** One sign-in: where the person goes, and what becomes of the issuer's answer. */
export interface SigningIn {
  address: string
  state: string
  finish: (answer: URLSearchParams) => Promise<Credential>
}

interface Issuer {
  openid: OpenId
  server: oauth.AuthorizationServer
  client: oauth.Client
  insecure: { [oauth.allowInsecureRequests]: boolean }
}

/** Where the issuer sends people back: it must be registered there. */
const returnAddress = () => location.origin + location.pathname

/** Asks the issuer for its endpoints, and prepares one sign-in. */
export async function begin(openid: OpenId): Promise<SigningIn> {
  if (!isSecureContext) throw new SignInFailed('insecure')
  const issuer = await explained(() => discover(openid))
  const [verifier, state, nonce] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState(), oauth.generateRandomNonce()]
  const address = new URL(issuer.server.authorization_endpoint!)
  const asked = {
    response_type: 'code',
    client_id: openid.client_id,
    redirect_uri: returnAddress(),
    scope: scopes(issuer),
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...(openid.audience !== openid.client_id && { audience: openid.audience }),
  }
  for (const [name, value] of Object.entries(asked)) address.searchParams.set(name, value)
  return { address: address.href, state, finish: (answer) => explained(() => redeem(issuer, answer, { verifier, state, nonce })) }
}

async function discover(openid: OpenId): Promise<Issuer> {
  const address = new URL(openid.issuer)
  const insecure = { [oauth.allowInsecureRequests]: address.protocol === 'http:' } // on this machine only
  const server = await oauth.processDiscoveryResponse(address, await oauth.discoveryRequest(address, insecure))
  const { origin } = new URL(server.token_endpoint!)
  if (!openid.origins.includes(origin)) throw new SignInFailed('elsewhere', origin)
  return { openid, server, client: { client_id: openid.client_id, [oauth.clockTolerance]: CLOCK_SKEW }, insecure }
}

function scopes({ openid, server }: Issuer): string {
  const offline = server.scopes_supported?.includes('offline_access') ? 'offline_access' : ''
  return [...new Set(['openid', ...openid.scopes.split(' '), offline])].filter(Boolean).join(' ')
}

async function redeem(
  { openid, server, client, insecure }: Issuer,
  answer: URLSearchParams,
  { verifier, state, nonce }: { verifier: string; state: string; nonce: string },
): Promise<Credential> {
  const valid = oauth.validateAuthResponse(server, client, answer, state)
  const response = await oauth.authorizationCodeGrantRequest(server, client, oauth.None(), valid, returnAddress(), verifier, insecure)
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, { expectedNonce: nonce })
  return credentialOf({ openid, server, client, insecure }, tokens)
}

function credentialOf(issuer: Issuer, tokens: oauth.TokenEndpointResponse): Credential {
  const { token, seconds } = suitable(issuer, tokens)
  const { name, preferred_username: username, email } = claimsIn(tokens.id_token ?? '')
  const called = [name, username, email].find((each) => typeof each === 'string' && each !== '') as string | undefined
  const stale = Date.now() + (seconds - Math.min(MARGIN, seconds / 2)) * 1000
  return {
    token,
    isStale: () => Date.now() > stale,
    end: () => end(issuer, tokens),
    ...(called !== undefined && { name: called }),
    ...(tokens.refresh_token !== undefined && { renew: () => renewed(issuer, tokens, token) }),
  }
}

/** The token that is for our server, and how long it lasts: the access token, else the ID token. */
function suitable({ openid }: Issuer, tokens: oauth.TokenEndpointResponse): { token: string; seconds: number } {
  for (const token of [tokens.access_token, tokens.id_token ?? '']) {
    const { aud, exp, iat } = claimsIn(token)
    if (![aud].flat().includes(openid.audience)) continue
    return { token, seconds: typeof exp === 'number' && typeof iat === 'number' ? exp - iat : (tokens.expires_in ?? Infinity) }
  }
  throw new SignInFailed('audience', openid.audience)
}

/** The same person's next tokens; an issuer that gives no new refresh token or ID token means the old one. */
async function renewed(issuer: Issuer, before: oauth.TokenEndpointResponse, token: string): Promise<Credential> {
  const { server, client, insecure } = issuer
  const response = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), before.refresh_token!, insecure)
  const renewal = await oauth.processRefreshTokenResponse(server, client, response)
  const tokens = { ...renewal, refresh_token: renewal.refresh_token ?? before.refresh_token!, ...idToken(renewal, before) }
  const credential = credentialOf(issuer, tokens)
  if (claimsIn(credential.token).sub !== claimsIn(token).sub) throw new SignInFailed('refused')
  return credential
}

function idToken(renewal: oauth.TokenEndpointResponse, before: oauth.TokenEndpointResponse): { id_token?: string } {
  const token = renewal.id_token ?? before.id_token
  return token === undefined ? {} : { id_token: token }
}

/** Ends the refresh token, and gives the address where the issuer signs the person out. */
async function end({ openid, server, client, insecure }: Issuer, tokens: oauth.TokenEndpointResponse): Promise<string | undefined> {
  const { revocation_endpoint: revocation, end_session_endpoint: leaving } = server
  if (tokens.refresh_token !== undefined && revocation && openid.origins.includes(new URL(revocation).origin)) {
    const signal = AbortSignal.timeout(PATIENCE)
    await oauth.revocationRequest(server, client, oauth.None(), tokens.refresh_token, { ...insecure, signal }).catch(() => undefined)
  }
  if (!leaving) return undefined
  const address = new URL(leaving)
  address.searchParams.set('client_id', openid.client_id)
  address.searchParams.set('post_logout_redirect_uri', returnAddress())
  if (tokens.id_token) address.searchParams.set('id_token_hint', tokens.id_token)
  return address.href
}

/** Says of whatever went wrong what the person needs to know. */
async function explained<Result>(action: () => Promise<Result>): Promise<Result> {
  try {
    return await action()
  } catch (error) {
    if (error instanceof SignInFailed) throw error
    throw failureOf(error)
  }
}

function failureOf(error: unknown): SignInFailed {
  if (error instanceof oauth.AuthorizationResponseError && error.error === 'access_denied') return new SignInFailed('cancelled')
  if (error instanceof oauth.AuthorizationResponseError || error instanceof oauth.ResponseBodyError)
    return new SignInFailed('refused', error.error_description ?? error.error)
  if (error instanceof oauth.OperationProcessingError) return new SignInFailed('refused', error.message)
  return new SignInFailed('unreachable')
}
