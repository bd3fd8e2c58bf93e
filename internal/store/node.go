package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"gorm.io/gorm/clause"

	"akashi/internal/topology"
)

type nodeRow struct {
	Slot                        int `gorm:"primaryKey;autoIncrement:false"`
	Faces, Build, Configuration string
	StartedAt                   int64
}

func (nodeRow) TableName() string { return "nodes" }

// ErrTooManyNodes tells that more processes serve the installation than were declared.
var ErrTooManyNodes = errors.New("more processes serve this database than AKASHI_NODES declares")

// nodeLock is the class of the advisory locks that hold the slots: the server
// frees one with the connection, however the process ends.
const nodeLock = 4_711_005

// mostNodes are the slots where nothing was declared.
const mostNodes = 64

// Join takes one of the declared slots (0: any) until the returned function is
// called, and shows what serves there. SQLite has one process and no slots: a
// second one is refused.
func (s *Store) Join(ctx context.Context, n topology.Node, declared int) (leave func() error, err error) {
	if !s.postgres {
		return s.serveAlone(ctx)
	}
	conn, err := s.pools[0].Conn(ctx)
	if err != nil {
		return nil, reachable(err)
	}
	slots := declared
	if slots == 0 {
		slots = mostNodes
	}
	for n.Slot = 1; n.Slot <= slots; n.Slot++ {
		var taken bool
		if err := conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock($1, $2)", nodeLock, n.Slot).Scan(&taken); err != nil {
			return nil, errors.Join(reachable(err), conn.Close())
		}
		if !taken {
			continue
		}
		row := nodeRow{n.Slot, n.Faces, n.Build, n.Configuration, milli(n.Started)}
		leave = func() error { return s.leave(conn, n.Slot) }
		if err := s.write.WithContext(ctx).Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error; err != nil {
			return nil, errors.Join(err, leave())
		}
		return leave, nil
	}
	return nil, errors.Join(fmt.Errorf("%w (%d)", ErrTooManyNodes, declared), conn.Close())
}

func (s *Store) leave(conn *sql.Conn, slot int) error {
	_, err := conn.ExecContext(context.Background(), "SELECT pg_advisory_unlock($1, $2)", nodeLock, slot)
	return errors.Join(err, conn.Close())
}

// Nodes are those that serve now.
func (s *Store) Nodes(ctx context.Context) (list []topology.Node, err error) {
	if !s.postgres {
		return nil, nil
	}
	var rows []nodeRow
	err = s.read.WithContext(ctx).Where(`slot IN (SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND classid = ? AND granted
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))`, nodeLock).Order("slot").Find(&rows).Error
	for _, r := range rows {
		list = append(list, topology.Node{Slot: r.Slot, Faces: r.Faces, Build: r.Build, Configuration: r.Configuration, Started: fromMilli(r.StartedAt)})
	}
	return list, err
}
