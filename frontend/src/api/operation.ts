/** A document that the server knows by its hash; the text is in `persisted.json`. */
export interface Operation<Data, Variables> {
  readonly id: string;
  readonly name: string;
  /** Never set: it ties the types of data and variables to the handle. */
  readonly types?: (variables: Variables) => Data;
}
