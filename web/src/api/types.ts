/** The records of our routes, by their names in the OpenAPI (`npm run types` generates them). */
import type { components } from './schema'

/** What the server sends has every field: the schema's optional ones have defaults. */
type Sent<T> = T extends (infer Item)[] ? Sent<Item>[] : T extends object ? { [K in keyof T]-?: Sent<T[K]> } : T
type Schemas = { [Name in keyof components['schemas']]: Sent<components['schemas'][Name]> }

export type OpenId = Schemas['OpenId']
export type SignIn = Schemas['SignIn']
export type Episode = Schemas['Episode']
export type Persona = Schemas['Persona']
export type Rule = Schemas['Rule']
export type Receipt = Schemas['Receipt']
export type Forgetting = Schemas['Forgetting']
export type ListedForgettings = Schemas['ListedForgettings']
export type ForgetPreview = Schemas['ForgetPreview']
export type ThreadSummary = Schemas['ThreadSummary']
export type ShownPrompt = Schemas['ShownPrompt']
export type Budget = Schemas['Budget']
export type Allowance = Schemas['Allowance']
export type Calibration = Schemas['Calibration']
export type Level = Schemas['Level']
export type CostReport = Schemas['CostReport']
export type Cost = Schemas['Cost']
export type Destination = Schemas['Destination']
export type Restored = Schemas['Restored']
export type RunSummary = Schemas['RunSummary']
export type RunDetails = Schemas['RunDetails']
export type Proposal = Schemas['Proposal']
export type ShownPair = Schemas['ShownPair']
export type Undoable = Schemas['Undoable']
export type Difference = Schemas['Difference']
export type Profile = Schemas['Profile']
export type Statement = Schemas['Statement']
export type Imported = Schemas['Imported']
export type ImportStatus = Schemas['ImportStatus']
export type ImportPreview = Schemas['ImportPreview']

/** How a closed question was decided, as a thread's state holds it. */
export interface Decision {
  answer: string
  probabilities: Record<string, number>
  /** What each source said by itself, and how much that counted. */
  sources?: { name: string; weight: number; probabilities: Record<string, number> }[]
}

/** A page of a list; `next` is the cursor of the following one. */
export interface Page<Item> {
  items: Item[]
  next?: string | null
}
