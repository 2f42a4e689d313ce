/** The least that a read and a write can be: both are prepared, because they have a name. */

/** Each is a name of the statement below and of the way to it by HTTP. */
export type Floor = 'select' | 'insert' | 'member';

/** With the people and groups (circles) of the directories; the schema of the service is not what the floors are about. */
export const TABLES = [
  `create table person (
     id uuid primary key, body text not null, version bigint not null, created_at timestamptz not null
   )`,
  `create table happening (
     position bigint generated always as identity primary key, person_id uuid not null, after jsonb not null
   )`,
  `create table circle (id uuid primary key, version bigint not null)`,
  `create table circle_member (circle_id uuid, person_id uuid, primary key (circle_id, person_id))`,
];

/** `$1` ids, `$2` bodies. */
export const FILL = {
  text: `insert into person select id::uuid, body, 1, now() from unnest($1::text[], $2::text[]) as p (id, body)`,
};

/** `$1` id of the circle, `$2` ids of its members. */
export const FILL_CIRCLE = {
  text: `with circle as (insert into circle values ($1, 1))
         insert into circle_member select $1, id::uuid from unnest($2::text[]) as p (id)`,
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

/** One statement a request: `$1` id of the circle, `$2` of a person, who is in it or not afterwards as `$3` says. */
export const MEMBER = {
  name: 'change_member',
  text: `with changed as (
           update circle set version = version + 1 where id = $1 returning id, version
         ), joined as (
           insert into circle_member select id, $2 from changed where $3::boolean on conflict do nothing
         ), left_behind as (
           delete from circle_member using changed where circle_id = id and person_id = $2 and not $3::boolean
         ), told as (
           insert into happening (person_id, after) select $2, jsonb_build_object('circle', id, 'is', $3::boolean)
           from changed
         )
         select version from changed`,
};
