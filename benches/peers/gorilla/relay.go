// Command relay lets everybody in a room hear everything: the relay that a user of gorilla/websocket would write.
//
// Each connection has one goroutine that reads, one that writes, and a bounded queue between the room and the latter,
// which takes memory only as it fills. A message is framed once, as a prepared message. A member whose queue is full is
// let go.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"sync"

	"github.com/gorilla/websocket"
)

const queueMessagesMax = 8192

type member struct {
	conn *websocket.Conn

	mu     sync.Mutex
	news   *sync.Cond
	queue  []*websocket.PreparedMessage
	closed bool
}

type room struct {
	mu      sync.Mutex
	members map[*member]struct{}
}

var rooms sync.Map // path → *room

// Write buffers are shared by all connections: most of them have nothing to write at any one time.
var upgrader = websocket.Upgrader{ReadBufferSize: 4096, WriteBufferPool: &sync.Pool{}}

func main() {
	address := "127.0.0.1:0"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	http.HandleFunc("/echo", echo)
	http.HandleFunc("/", attend)
	log.Fatal(http.Serve(listener, nil))
}

func echo(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	for {
		kind, data, err := conn.ReadMessage()
		if err != nil || conn.WriteMessage(kind, data) != nil {
			return
		}
	}
}

func attend(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	entry, _ := rooms.LoadOrStore(r.URL.Path, &room{members: map[*member]struct{}{}})
	here := entry.(*room)
	m := &member{conn: conn}
	m.news = sync.NewCond(&m.mu)
	here.join(m)
	go m.write()
	m.read(here)
	here.leave(m)
}

// read runs until the connection ends, then closes it.
func (m *member) read(here *room) {
	defer m.conn.Close()
	for {
		kind, data, err := m.conn.ReadMessage()
		if err != nil {
			return
		}
		message, err := websocket.NewPreparedMessage(kind, data)
		if err != nil {
			return
		}
		here.publish(message)
	}
}

// write runs until the queue is closed, or nothing can be written any more: closing the connection then ends read.
func (m *member) write() {
	defer m.conn.Close()
	for queue := m.take(); queue != nil; queue = m.take() {
		for _, message := range queue {
			if m.conn.WritePreparedMessage(message) != nil {
				return
			}
		}
	}
}

// take waits for what is queued, and is nil when the queue is closed.
func (m *member) take() []*websocket.PreparedMessage {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.queue) == 0 && !m.closed {
		m.news.Wait()
	}
	queue := m.queue
	m.queue = nil
	return queue
}

// put is false when the queue is full.
func (m *member) put(message *websocket.PreparedMessage) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.queue) == queueMessagesMax {
		return false
	}
	m.queue = append(m.queue, message)
	m.news.Signal()
	return true
}

// close ends the queue after what is in it.
func (m *member) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.news.Signal()
}

func (here *room) join(m *member) {
	here.mu.Lock()
	defer here.mu.Unlock()
	here.members[m] = struct{}{}
}

func (here *room) publish(message *websocket.PreparedMessage) {
	here.mu.Lock()
	defer here.mu.Unlock()
	for m := range here.members {
		if !m.put(message) {
			delete(here.members, m)
			m.close()
		}
	}
}

func (here *room) leave(m *member) {
	here.mu.Lock()
	defer here.mu.Unlock()
	delete(here.members, m)
	m.close()
}
