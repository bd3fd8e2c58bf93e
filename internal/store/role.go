package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"akashi/migrations"
)

// ErrRole tells that the database role could get around row-level security (S-025).
var ErrRole = errors.New("the database role has more power than a serving process may have")

// CheckRole refuses a role of PostgreSQL that is a superuser, has BYPASSRLS, or
// owns a table or may become its owner.
func (s *Store) CheckRole(ctx context.Context) error {
	if !s.postgres {
		return nil
	}
	for _, pool := range s.pools {
		if err := checkRole(ctx, pool); err != nil {
			return err
		}
	}
	return nil
}

func checkRole(ctx context.Context, pool *sql.DB) error {
	var name string
	var super, bypass, owner bool
	err := pool.QueryRowContext(ctx, `SELECT rolname, rolsuper, rolbypassrls, EXISTS (SELECT FROM pg_class c
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND pg_has_role(current_user, c.relowner, 'MEMBER'))
		FROM pg_roles WHERE rolname = current_user`).Scan(&name, &super, &bypass, &owner)
	if err != nil {
		return reachable(err)
	}
	if super || bypass || owner {
		return fmt.Errorf("%w: %s (superuser %t, BYPASSRLS %t, owner %t); see migrations/roles.sql", ErrRole, name, super, bypass, owner)
	}
	return nil
}

// grantLock is the advisory lock under which one process at a time grants.
const grantLock = 4_711_004

// grant gives the roles what migrations.Grants says and takes everything else
// away, where the connection is the owner's and the file or the roles are new.
func grant(ctx context.Context, owner *sql.DB) error {
	tx, err := owner.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	var owns bool
	if err := tx.QueryRowContext(ctx, `SELECT pg_get_userbyid(relowner) = current_user FROM pg_class WHERE oid = 'installation'::regclass`).Scan(&owns); err != nil || !owns {
		return err
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", grantLock)); err != nil {
		return err
	}
	roles, digest, err := knownRoles(ctx, tx)
	if err != nil || len(roles) == 0 { // one role does everything: TEST only, see CheckRole
		return err
	}
	if missing := slices.DeleteFunc(slices.Clone(migrations.RoleNames), func(r string) bool { return slices.Contains(roles, r) }); len(missing) > 0 {
		return fmt.Errorf("the roles %s are missing: run migrations/roles.sql", strings.Join(missing, ", "))
	}
	var known []byte
	err = tx.QueryRowContext(ctx, `SELECT value FROM installation WHERE name = 'grants'`).Scan(&known)
	if err != nil && !errors.Is(err, sql.ErrNoRows) || string(known) == string(digest) {
		return err
	}
	everybody := strings.Join(roles, ", ")
	for _, statement := range []string{
		"REVOKE CREATE ON SCHEMA public FROM PUBLIC",
		"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, " + everybody,
		"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, " + everybody,
		migrations.Grants,
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("grants: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO installation (name, value) VALUES ('grants', $1)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, digest); err != nil {
		return err
	}
	return tx.Commit()
}

// knownRoles returns the roles that the cluster has, and a digest of them and of
// what they are to be granted.
func knownRoles(ctx context.Context, tx *sql.Tx) (names []string, digest []byte, err error) {
	h := sha256.New()
	_, _ = h.Write([]byte(migrations.Grants))
	for _, name := range migrations.RoleNames {
		var id string
		err := tx.QueryRowContext(ctx, "SELECT oid::text FROM pg_roles WHERE rolname = $1", name).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		names = append(names, name)
		_, _ = h.Write([]byte("\n" + name + " " + id))
	}
	return names, h.Sum(nil), nil
}
