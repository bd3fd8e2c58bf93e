package cli

import (
	"context"
	"log/slog"
	"time"

	"akashi/internal/audit/tree"
	"akashi/internal/fault"
	"akashi/signing"
)

// treeStep is the pause between two looks for entries without a place.
const treeStep = time.Second

// proveLog assembles what makes the log provable.
func (a *App) proveLog() error {
	key, err := signing.OpenLogKey(a.keyDir(), signing.OperationLog, a.Config.SHCIssuer)
	if err != nil {
		return err
	}
	log := &tree.Notary{Sequencer: a.sequencer(tree.Log), Key: key}
	if a.Config.LogCopy != "" {
		log.Copies = tree.Folder(a.Config.LogCopy).Of(key.Verifier().Name())
	}
	a.Notaries = []*tree.Notary{log}
	a.Fresh = &tree.Freshness{Store: a.Store, Clock: a.Clock}
	return nil
}

func (a *App) sequencer(name tree.Name) tree.Sequencer {
	return tree.Sequencer{Store: a.Store, Tree: name, Holder: a.IDs.Row(), Clock: a.Clock}
}

// KeepLog gives entries their places and signs checkpoints until the context
// ends; the channel closes after the last step.
func (a *App) KeepLog(ctx context.Context, logger *slog.Logger) <-chan struct{} {
	job := &tree.Job{Notaries: a.Notaries, Logger: logger}
	return job.Run(ctx, treeStep)
}

// Halted refuses what is personal while the log is not being signed (S-086).
func (a *App) Halted(ctx context.Context) error {
	late, err := a.Fresh.Late(ctx)
	if err == nil && late {
		err = fault.New(fault.Unavailable, "log_checkpoint_late", "")
	}
	return err
}
