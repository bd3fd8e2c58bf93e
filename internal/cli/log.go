package cli

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"akashi/certificate/trust"
	"akashi/internal/audit/tree"
	"akashi/internal/fault"
	"akashi/internal/merkle"
	"akashi/internal/publish"
	"akashi/signing"
)

// treeStep is the pause between two looks for entries without a place.
const treeStep = time.Second

// proveLog assembles what makes the log provable, and the lists of what has ended.
func (a *App) proveLog() error {
	key, err := signing.OpenLogKey(a.keyDir(), signing.OperationLog, a.Config.SHCIssuer)
	if err != nil {
		return err
	}
	issuanceKey, err := signing.OpenLogKey(a.keyDir(), signing.IssuanceLog, a.Config.SHCIssuer)
	if err != nil {
		return err
	}
	if a.Published.Issuances, err = publish.NewIssuances(a.Store, issuanceKey.Public(), a.Clock); err != nil {
		return err
	}
	statusKey, err := signing.OpenLogKey(a.keyDir(), signing.StatusList, a.Config.SHCIssuer)
	if err != nil {
		return err
	}
	signersKey, err := signing.OpenListKey(a.keyDir())
	if err != nil {
		return err
	}
	a.Published.Lists = publish.NewLists(a.Store, statusKey.Public())
	a.Lists = &publish.Maker{Store: a.Store, Key: statusKey, Signers: signersKey, Clock: a.Clock, Seed: func() [32]byte { return [32]byte(a.IDs.Bytes(32)) }}
	log := &tree.Notary{Sequencer: a.sequencer(tree.Log), Key: key}
	issued := &tree.Notary{Sequencer: a.sequencer(tree.Issuance), Key: issuanceKey, Also: a.sayIssued, Eager: issuanceDelay}
	a.Notaries = []*tree.Notary{log, issued}
	if a.Config.LogCopy != "" {
		for _, n := range a.Notaries {
			n.Copies = tree.Folder(a.Config.LogCopy).Of(n.Key.Verifier().Name())
		}
	}
	a.Fresh = &tree.Freshness{Store: a.Store, Clock: a.Clock, Key: key.Verifier()}
	return nil
}

// issuanceDelay is how long what was issued waits for the published log.
const issuanceDelay = 30 * time.Second

func (a *App) sequencer(name tree.Name) tree.Sequencer {
	return tree.Sequencer{Store: a.Store, Tree: name, Holder: a.IDs.Row(), Clock: a.Clock}
}

// keepLog gives entries their places and signs checkpoints.
func (a *App) keepLog() func(ctx context.Context, logger *slog.Logger) error {
	told := map[string]time.Time{}
	return func(ctx context.Context, logger *slog.Logger) error {
		job := tree.Job{Notaries: a.Notaries, Alarm: a.alarm(logger, told)}
		return job.Step(ctx)
	}
}

// Halted refuses what is personal while the log is not being signed (S-086).
func (a *App) Halted(ctx context.Context) error {
	stale, err := a.Fresh.Stale(ctx)
	if err == nil && stale {
		err = fault.New(fault.Unavailable, "log_checkpoint_late", "")
	}
	return err
}

// sayIssued returns what the issuance log's checkpoint says beside size and root.
func (a *App) sayIssued(ctx context.Context, c merkle.Checkpoint) ([]string, error) {
	line, err := a.Published.Issuances.Line(ctx, c)
	if err != nil {
		return nil, err
	}
	since, err := a.Store.IssuanceLogSince(ctx)
	if err != nil || since.IsZero() {
		return []string{line}, err
	}
	return []string{line, trust.SinceLine + since.Format(time.RFC3339)}, nil
}

// Trust returns what verifiers need: the published keys, the lists of what has ended
// as of now, and the issuance log as of its newest checkpoint, which is made now if no
// other process keeps the log.
func (a *App) Trust(ctx context.Context) (*trust.Bundle, error) {
	for _, n := range a.Notaries {
		if n.Tree != tree.Issuance {
			continue
		}
		if err := n.Checkpoint(ctx); err != nil {
			return nil, err
		}
	}
	if err := a.Published.Issuances.Refresh(ctx); err != nil {
		return nil, err
	}
	if err := a.Lists.Step(ctx); err != nil && !errors.Is(err, fault.New(fault.Conflict, "version", "")) { // another process made them
		return nil, err
	}
	return a.Published.Whole(ctx)
}
