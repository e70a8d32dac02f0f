"""The setups that come with trueup: chains that take a platform for granted are learnt, and run there."""

from __future__ import annotations

import pytest

from trueup.chain.lockfile import load_locked
from trueup.chain.steps import read_chain
from trueup.config import setup_sql, setups
from trueup_testing.chains import Files, MakeChain
from trueup_testing.command import Run
from trueup_testing.databases import Databases, execute, value

pytestmark = pytest.mark.pg


SUPABASE: Files = {
    "001_profiles.sql": """
        CREATE TABLE public.profiles (
            id uuid PRIMARY KEY REFERENCES auth.users ON DELETE CASCADE,
            token uuid DEFAULT uuid_generate_v4(),
            email text
        );
        ALTER TABLE public.profiles ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON public.profiles TO authenticated
            USING (id = auth.uid() AND auth.role() = 'authenticated' AND (auth.jwt() ->> 'aal') = 'aal2');
        CREATE FUNCTION public.handle_new_user() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
            BEGIN INSERT INTO public.profiles (id, email) VALUES (new.id, new.email); RETURN new; END $$;
        CREATE TRIGGER on_auth_user_created AFTER INSERT ON auth.users
            FOR EACH ROW EXECUTE FUNCTION public.handle_new_user();
        REVOKE ALL ON public.profiles FROM anon;
        GRANT SELECT ON public.profiles TO supabase_auth_admin;
    """,
    "002_storage.sql": """
        INSERT INTO storage.buckets (id, name, public) VALUES ('avatars', 'avatars', true) ON CONFLICT DO NOTHING;
        CREATE POLICY avatars ON storage.objects FOR INSERT TO authenticated WITH CHECK (
            bucket_id = 'avatars' AND (storage.foldername(name))[1] = auth.uid()::text AND storage.extension(name) = 'png');
    """,
    "003_realtime.sql": """
        -- done when: SELECT true FROM pg_publication_tables WHERE tablename = 'profiles'
        ALTER PUBLICATION supabase_realtime ADD TABLE public.profiles;
        CREATE POLICY listen ON realtime.messages FOR SELECT TO authenticated USING (realtime.topic() = 'profiles');
        CREATE VIEW public.keys AS SELECT name FROM vault.decrypted_secrets;
    """,
}


def test_a_chain_for_supabase_is_learnt_and_runs_there(run: Run, chain: MakeChain, database: str) -> None:
    folder = chain(SUPABASE, locked=False)
    execute(database, setup_sql("supabase"))
    where = ("--migrations", folder, "--database-url", database)

    locked = run("--migrations", folder, "lock", "--scratch-setup", "supabase")
    up, again = run(*where, "up", "--strict"), run(*where, "check")

    assert (0, 0, 0) == (locked.code, up.code, again.code), (locked.err, up.err)
    execute(database, "INSERT INTO auth.users (id, email) VALUES (gen_random_uuid(), 'a@example.org')")
    assert "a@example.org" == value(database, "SELECT email FROM profiles")
    assert "a/b|c.png|png" == value(
        database,
        "SELECT concat_ws('|', array_to_string(storage.foldername(n), '/'), storage.filename(n), storage.extension(n)) "
        "FROM (VALUES ('a/b/c.png')) AS v (n)",
    )


def test_what_it_makes_is_not_managed(chain: MakeChain) -> None:
    locked = load_locked(read_chain(chain(SUPABASE, setup=setup_sql("supabase"))))

    managed = {key for effect in locked.effects for key in effect.keys}

    assert "trigger auth.users.on_auth_user_created" in managed
    assert not {key for key in managed if key.startswith(("table auth", "column auth", "schema ", "extension "))}
    assert "privileges table public.profiles to service_role" in managed


@pytest.mark.parametrize("name", setups())
def test_it_can_be_run_again_on_a_server_that_has_its_roles(databases: Databases, name: str) -> None:
    for _ in range(2):
        execute(databases.create(), setup_sql(name))


def test_an_unknown_name_is_no_setup(run: Run, chain: MakeChain) -> None:
    answer = run("--migrations", chain(SUPABASE, locked=False), "lock", "--scratch-setup", "firebase")

    assert 2 == answer.code
    assert "no setup at firebase" in answer.err
    assert "supabase" in answer.err
