// A bank that is kept in Badger 2 and whose value log is collected: what the
// `badger` tool never does. For tests; see live_backup_window_test.cc.
//
//	gc_writer DIR
//
// Each transaction moves money between two of 1,000 accounts of 1,000. Values
// are long, so that they lie in the value log; tables and logs are small, so
// that they are flushed, compacted and collected every moment. Prints a line
// for each collection that rewrote a log. Runs until it is killed.
package main

import (
	"fmt"
	"log"
	"math/rand"
	"os"
	"strconv"
	"strings"

	badger "github.com/dgraph-io/badger"
)

const (
	accounts = 1000
	initial  = 1000
)

func key(account int) []byte {
	return []byte(fmt.Sprintf("account/%06d", account))
}

func value(balance int) []byte {
	return []byte(fmt.Sprintf("%08d%s", balance, strings.Repeat("x", 600)))
}

func balance(txn *badger.Txn, account int) (int, error) {
	item, err := txn.Get(key(account))
	if err != nil {
		return 0, err
	}
	text, err := item.ValueCopy(nil)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(text[:8]))
}

// In transactions that such small tables allow.
func open(db *badger.DB) error {
	for account := 0; account < accounts; {
		err := db.Update(func(txn *badger.Txn) error {
			for end := account + 100; account < end; account++ {
				if err := txn.Set(key(account), value(initial)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func transfer(db *badger.DB, random *rand.Rand) error {
	from, to := random.Intn(accounts), random.Intn(accounts)
	if from == to {
		return nil
	}
	return db.Update(func(txn *badger.Txn) error {
		a, err := balance(txn, from)
		if err != nil || a == 0 {
			return err
		}
		b, err := balance(txn, to)
		if err != nil {
			return err
		}
		amount := 1 + random.Intn(a)
		if err := txn.Set(key(from), value(a-amount)); err != nil {
			return err
		}
		return txn.Set(key(to), value(b+amount))
	})
}

func collect(db *badger.DB) {
	for {
		switch err := db.RunValueLogGC(0.1); err {
		case nil:
			fmt.Println("collected")
		case badger.ErrNoRewrite, badger.ErrRejected:
		default:
			log.Fatal(err)
		}
	}
}

func main() {
	options := badger.DefaultOptions(os.Args[1]).
		WithSyncWrites(false).
		WithMaxTableSize(1 << 20).
		WithLevelOneSize(2 << 20).
		WithNumLevelZeroTables(1).
		WithValueLogFileSize(2 << 20).
		WithLogger(nil)
	db, err := badger.Open(options)
	if err != nil {
		log.Fatal(err)
	}
	if err := open(db); err != nil {
		log.Fatal(err)
	}
	fmt.Println("open")
	go collect(db)
	random := rand.New(rand.NewSource(1))
	for {
		if err := transfer(db, random); err != nil && err != badger.ErrConflict {
			log.Fatal(err)
		}
	}
}
