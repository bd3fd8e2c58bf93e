package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

type officeKey struct{}

// withOffice names the office of the transaction that is begun under the context.
func withOffice(ctx context.Context, office string) context.Context {
	return context.WithValue(ctx, officeKey{}, office)
}

// connector makes connections whose transactions begin with the office that
// row-level security goes by: one message to the server instead of two. The
// setting ends with the transaction.
type connector struct{ driver.Connector }

func newConnector(url string) (driver.Connector, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	return connector{stdlib.GetConnector(*config)}, nil
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return connection{conn.(*stdlib.Conn)}, nil
}

type connection struct{ *stdlib.Conn }

func (c connection) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	office, ok := ctx.Value(officeKey{}).(string)
	if !ok {
		return c.Conn.BeginTx(ctx, o)
	}
	if len(office) != 6 || strings.Trim(office, "0123456789") != "" {
		return nil, errors.New("store: not an office")
	}
	t, err := c.Conn.Conn().BeginTx(ctx, pgx.TxOptions{BeginQuery: "BEGIN; SELECT set_config('akashi.office', '" + office + "', true)"})
	return transaction{ctx, t}, err
}

type transaction struct {
	ctx context.Context
	pgx pgx.Tx
}

func (t transaction) Commit() error   { return t.pgx.Commit(t.ctx) }
func (t transaction) Rollback() error { return t.pgx.Rollback(t.ctx) }
