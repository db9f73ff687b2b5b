// Everybody in a room hears everything: the relay that a user of uWebSockets would write.

#include <App.h>

#include <cstdlib>
#include <iostream>
#include <string>

struct Member {
    std::string room;
};

int main(int argc, char **argv) {
    const std::string address = argc > 1 ? argv[1] : "127.0.0.1:0";
    const auto colon = address.rfind(':');
    const std::string host = address.substr(0, colon);

    uWS::App app;
    app.ws<Member>("/*", {
        .compression = uWS::DISABLED,
        .maxPayloadLength = 64 * 1024,
        .maxBackpressure = 1024 * 1024,
        .closeOnBackpressureLimit = true,
        .upgrade = [](auto *response, auto *request, auto *context) {
            response->template upgrade<Member>(
                {std::string(request->getUrl())},
                request->getHeader("sec-websocket-key"),
                request->getHeader("sec-websocket-protocol"),
                request->getHeader("sec-websocket-extensions"),
                context);
        },
        .open = [](auto *socket) { socket->subscribe(socket->getUserData()->room); },
        .message = [&app](auto *socket, std::string_view message, uWS::OpCode opcode) {
            const std::string &room = socket->getUserData()->room;
            if (room == "/echo") {
                socket->send(message, opcode);
            } else {
                app.publish(room, message, opcode);
            }
        },
    });
    app.listen(host, std::atoi(address.c_str() + colon + 1), [&host](auto *listener) {
        if (!listener) {
            std::exit(1);
        }
        const int port = us_socket_local_port(0, reinterpret_cast<us_socket_t *>(listener));
        std::cout << "listening on http://" << host << ":" << port << std::endl;
    });
    app.run();
}
