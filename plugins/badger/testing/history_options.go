package main

import badger "github.com/dgraph-io/badger"

// Small tables and logs, so that little is enough to flush and collect them.
func options(dir string) badger.Options {
	return badger.DefaultOptions(dir).
		WithSyncWrites(false).
		WithMaxTableSize(1 << 20).
		WithValueLogFileSize(1 << 20).
		WithTruncate(true).
		WithLogger(nil)
}
