/** What a domain or an invitation gives, as it is shown. */
export interface ShownGrant {
  readonly team: { readonly id: string; readonly name: string; readonly kind: 'team' | 'case_group' };
  readonly role: string;
}

/** SQL: the grants of `row` as `ShownGrant`s in their order. A team that is gone is given no more, and not shown. */
export function shownGrants(row: string): string {
  return `coalesce((
       select jsonb_agg(jsonb_build_object(
                'team', jsonb_build_object('id', t.id, 'name', t.name, 'kind', t.kind), 'role', g.value -> 'role')
              order by g.place)
       from jsonb_array_elements(${row}.grants) with ordinality as g (value, place)
            join team t on t.tenant_id = ${row}.tenant_id and t.id = (g.value ->> 'teamId')::uuid), '[]')`;
}
