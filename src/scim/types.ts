/** The values of RFC 7643 and RFC 7644 as types. Data and functions live in their own files. */

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [name: string]: JsonValue;
}

/** RFC 7643 section 2.3. */
export type AttributeType =
  | 'string'
  | 'boolean'
  | 'decimal'
  | 'integer'
  | 'dateTime'
  | 'binary'
  | 'reference'
  | 'complex';

/** One attribute and its characteristics, RFC 7643 sections 2.2 and 7. */
export interface Attribute {
  readonly name: string;
  readonly type: AttributeType;
  readonly multiValued: boolean;
  readonly description: string;
  readonly required: boolean;
  readonly caseExact: boolean;
  readonly mutability: 'readOnly' | 'readWrite' | 'immutable' | 'writeOnly';
  readonly returned: 'always' | 'never' | 'default' | 'request';
  readonly uniqueness: 'none' | 'server' | 'global';
  readonly canonicalValues?: readonly string[];
  readonly referenceTypes?: readonly string[];
  readonly subAttributes?: readonly Attribute[];
}

/** RFC 7643 section 7. */
export interface Schema {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly attributes: readonly Attribute[];
}

/** A schema that extends a resource type (RFC 7643 section 3.3): the enterprise user, or a tenant's own. */
export interface Extension {
  readonly schema: Schema;
  /** Whether every resource of the type must have it. */
  readonly required: boolean;
}

export type TypeName = 'User' | 'Group' | 'Role' | 'Entitlement';

/** RFC 7643 section 6. The common attributes (`schemas`, `id`, `externalId`, `meta`) are in `schema.attributes`. */
export interface ResourceType {
  readonly name: TypeName;
  readonly endpoint: '/Users' | '/Groups' | '/Roles' | '/Entitlements';
  readonly description: string;
  readonly schema: Schema;
  readonly extensions: readonly Extension[];
}

/** The resource types as one tenant has them: with its own extensions. */
export type ResourceTypes = Readonly<Record<TypeName, ResourceType>>;

/**
 * A resource as we keep it: attribute names in the schema's case, extension attributes in an object under the
 * extension's URN, no unassigned values (RFC 7643 section 2.5), nothing that the schema does not know.
 */
export type Resource = JsonObject;

/** `{urn}:attribute.subAttribute` resolved against a resource type (RFC 7644 section 3.10). */
export interface AttributePath {
  /** Absent: an attribute of the core schema or a common one. */
  readonly extension?: Schema;
  readonly attribute: Attribute;
  readonly subAttribute?: Attribute;
}

export type CompareOperator = 'eq' | 'ne' | 'co' | 'sw' | 'ew' | 'gt' | 'ge' | 'lt' | 'le';

/**
 * A filter, resolved and type-checked (RFC 7644 section 3.4.2.2). Inside an `element` the paths are relative to
 * the element: `attribute` is the multi-valued or complex attribute itself and `subAttribute` the tested part.
 */
export type FilterNode =
  /** What an attribute that the type does not have comes to (RFC 7644 section 3.4.2.1): it has no value. */
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'and' | 'or'; readonly filters: readonly FilterNode[] }
  | { readonly kind: 'not'; readonly filter: FilterNode }
  | { readonly kind: 'present'; readonly path: AttributePath }
  | {
      readonly kind: 'compare';
      readonly path: AttributePath;
      readonly operator: CompareOperator;
      /**
       * In the form that comparison needs: text folded (`scim/fold.ts`) unless `caseExact`, a dateTime in the
       * fixed UTC form of `scim/fold.ts`, booleans and numbers as themselves; null only with `eq` and `ne`.
       */
      readonly value: string | number | boolean | null;
      /** The value as it was written: a PATCH that creates the element seeds it with this. */
      readonly literal: string | number | boolean | null;
    }
  | { readonly kind: 'element'; readonly path: AttributePath; readonly filter: FilterNode };

/** Where a PATCH operation points (RFC 7644 section 3.5.2, figure 7). */
export type PatchTarget =
  /** The resource itself: no path, the value's keys are the paths. */
  | { readonly kind: 'resource' }
  /** A whole extension: `urn:…:enterprise:2.0:User`. */
  | { readonly kind: 'extension'; readonly extension: Schema }
  | { readonly kind: 'attribute'; readonly path: AttributePath }
  /** `emails[type eq "work"]` and `emails[type eq "work"].value`; the filter is relative to the element. */
  | {
      readonly kind: 'element';
      readonly path: AttributePath;
      readonly filter: FilterNode;
      readonly subAttribute?: Attribute;
    };

/** One PATCH operation, resolved. Path-less values are already taken apart into operations with a target. */
export interface PatchOperation {
  /** Its place among those of the request: refusals name it. */
  readonly index: number;
  readonly op: 'add' | 'remove' | 'replace';
  readonly target: PatchTarget;
  /** Validated and in canonical form; absent on a `remove` without a value. */
  readonly value?: JsonValue;
  /** Where a value path is written: how it was read, because only the resource shows whether it matches. */
  readonly reading?: Reading;
}

/**
 * How a message is read: strictly (tenant setting `strictScim`) or with the tolerances that real clients need.
 * Each tolerance that was used is noted by its name (`scim/quirks.ts`), so that it can be counted per key.
 */
export interface Reading {
  readonly strict: boolean;
  readonly tolerances: Set<string>;
  /**
   * Whether ignoring read-only values is no tolerance: so in a whole resource (RFC 7644 section 3.5.1), and inside
   * a whole complex value, which clients send back as they read it.
   */
  readonly ignoresReadOnly?: boolean;
  /** Whether it stands in a URL, where nothing sensitive may (RFC 7644 section 7.5.2). */
  readonly inUrl?: boolean;
}
