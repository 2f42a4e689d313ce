/** The least that a read and a write can be: both are prepared, because they have a name. */

/** With the people of one directory; the schema of the service is not what the floors are about. */
export const TABLES = [
  `create table person (
     id uuid primary key, body text not null, version bigint not null, created_at timestamptz not null
   )`,
  `create table happening (
     position bigint generated always as identity primary key, person_id uuid not null, after jsonb not null
   )`,
];

export const FILL = {
  text: `insert into person select id::uuid, body, 1, now() from unnest($1::text[], $2::text[]) as p (id, body)`,
};

/** `$1` id. */
export const SELECT = {
  name: 'select_person',
  text: 'select id, body, version, created_at from person where id = $1',
};

/** `$1` id, `$2` body. */
export const INSERT = {
  name: 'insert_person',
  text: `with created as (
           insert into person values ($1, $2, 1, now()) returning id, body, version, created_at
         ), told as (
           insert into happening (person_id, after) select id, body::jsonb from created
         )
         select id, body, version, created_at from created`,
};
