// A store that lives: everything that an application, an operator or Badger
// itself does to a database between two backups, by chance. For tests; see
// history_test.cc.
//
//	history_writer live DIR SEED STATE
//	history_writer list DIR LISTING
//
// `live` opens the database a few times: writes, deletes, drops, loads older
// backups, merges, commits versions of its own choice, flattens, collects, and
// ends well or without closing. STATE is a folder for what it keeps for later.
// `list` writes into LISTING what the library lists: a line for each live key, of
// key and value in hex, version, user meta and expiry, and what is merged for it.
package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"log"
	"math"
	"math/rand"
	"os"
	"path/filepath"
	"strconv"
	"time"

	badger "github.com/dgraph-io/badger"
)

type life struct {
	db      *badger.DB
	random  *rand.Rand
	managed bool
	state   string
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func (l *life) key() []byte {
	return []byte(fmt.Sprintf("%c/%03d", 'a'+l.random.Intn(4), l.random.Intn(25)))
}

func (l *life) value() []byte {
	size := l.random.Intn(60)
	if l.random.Intn(8) == 0 {
		size = 200 + l.random.Intn(2000)
	}
	value := make([]byte, size)
	for i := range value {
		value[i] = byte('a' + l.random.Intn(3))
	}
	return value
}

func (l *life) entry() *badger.Entry {
	entry := badger.NewEntry(l.key(), l.value()).WithMeta(byte(l.random.Intn(3)))
	switch l.random.Intn(20) {
	case 0:
		entry.ExpiresAt = 1000000000 // long ago
	case 1:
		entry.ExpiresAt = 4000000000
	case 2:
		entry = entry.WithDiscard()
	}
	return entry
}

// One transaction, at a version of its own choice where that is managed.
func (l *life) update(change func(txn *badger.Txn) error) {
	if !l.managed {
		check(l.db.Update(change))
		return
	}
	txn := l.db.NewTransactionAt(math.MaxUint64, true)
	defer txn.Discard()
	check(change(txn))
	check(txn.CommitAt(uint64(1+l.random.Intn(400)), nil))
}

func (l *life) write() {
	l.update(func(txn *badger.Txn) error {
		for n := 1 + l.random.Intn(4); n > 0; n-- {
			if l.random.Intn(3) == 0 {
				if err := txn.Delete(l.key()); err != nil {
					return err
				}
				continue
			}
			if err := txn.SetEntry(l.entry()); err != nil {
				return err
			}
		}
		return nil
	})
}

func (l *life) merge() {
	if l.managed {
		return
	}
	add := func(before, now []byte) []byte { return append(append([]byte{}, before...), now...) }
	key := []byte(fmt.Sprintf("m/%d", l.random.Intn(3)))
	operator := l.db.GetMergeOperator(key, add, time.Hour)
	for n := 1 + l.random.Intn(3); n > 0; n-- {
		check(operator.Add([]byte{byte('A' + l.random.Intn(26))}))
	}
	if l.random.Intn(2) == 0 {
		operator.Stop() // which writes what it has merged
	}
}

func (l *life) backup() {
	if l.managed {
		return
	}
	file, err := os.Create(filepath.Join(l.state, "backup"))
	check(err)
	_, err = l.db.Backup(file, 0)
	check(err)
	check(file.Close())
}

func (l *life) load() {
	file, err := os.Open(filepath.Join(l.state, "backup"))
	if os.IsNotExist(err) || l.managed {
		return
	}
	check(err)
	defer file.Close()
	check(l.db.Load(file, 16))
}

func (l *life) step(rare int) {
	switch n := l.random.Intn(100); {
	case n < 82:
		l.write()
	case n < 86:
		l.merge()
	case n < 88:
		check(l.db.DropPrefix([]byte(fmt.Sprintf("%c/%d", 'a'+l.random.Intn(4), l.random.Intn(3)))))
	case n < 90:
		check(l.db.Flatten(1))
	case n < 93:
		if err := l.db.RunValueLogGC(0.01); err != nil && err != badger.ErrNoRewrite && err != badger.ErrRejected {
			// A managed database is not collected.
			return
		}
	case n < 95:
		l.backup()
	case l.random.Intn(4) >= rare:
	case n < 97:
		check(l.db.DropAll())
	default:
		l.load()
	}
}

func list(db *badger.DB, managed bool, path string) {
	file, err := os.Create(path)
	check(err)
	out := bufio.NewWriter(file)
	read := func(txn *badger.Txn) {
		options := badger.DefaultIteratorOptions
		it := txn.NewIterator(options)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			item := it.Item()
			value, err := item.ValueCopy(nil)
			check(err)
			fmt.Fprintf(out, "%s %s v%d u%d x%d", hex.EncodeToString(item.Key()),
				hex.EncodeToString(value), item.Version(), item.UserMeta(), item.ExpiresAt())
			if bytes.HasPrefix(item.Key(), []byte("m/")) {
				fmt.Fprintf(out, " %s", merged(txn, item.KeyCopy(nil)))
			}
			fmt.Fprintln(out)
		}
	}
	if managed {
		txn := db.NewTransactionAt(math.MaxUint64, false)
		defer txn.Discard()
		read(txn)
	} else {
		txn := db.NewTransaction(false)
		defer txn.Discard()
		read(txn)
	}
	check(out.Flush())
	check(file.Close())
}

// What a merge operator would make of the key, without writing it.
func merged(txn *badger.Txn, key []byte) string {
	options := badger.DefaultIteratorOptions
	options.AllVersions = true
	it := txn.NewKeyIterator(key, options)
	defer it.Close()
	result := ""
	for it.Rewind(); it.Valid(); it.Next() {
		item := it.Item()
		if item.IsDeletedOrExpired() {
			break
		}
		value, err := item.ValueCopy(nil)
		check(err)
		result = string(value) + result
		if item.DiscardEarlierVersions() {
			break
		}
	}
	return result
}

func open(dir string, managed bool) *badger.DB {
	if managed {
		db, err := badger.OpenManaged(options(dir))
		check(err)
		return db
	}
	db, err := badger.Open(options(dir))
	check(err)
	return db
}

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	check(err)
	return n
}

func main() {
	if os.Args[1] == "list" {
		// As a managed one, so that no version is too high to be read.
		db := open(os.Args[2], true)
		list(db, true, os.Args[3])
		check(db.Close())
		return
	}
	l := life{random: rand.New(rand.NewSource(number(os.Args[3]))), state: os.Args[4]}
	rare := l.random.Intn(5)
	for rounds := 1 + l.random.Intn(3); rounds > 0; rounds-- {
		// Where rare things happen at all.
		l.managed = rare > 0 && l.random.Intn(8) == 0
		l.db = open(os.Args[2], l.managed)
		for steps := 1 + l.random.Intn(25); steps > 0; steps-- {
			l.step(rare)
		}
		if rounds > 1 {
			check(l.db.Close())
		}
	}
	if l.random.Intn(6) == 0 {
		os.Exit(0) // as if it had been killed
	}
	check(l.db.Close())
}
