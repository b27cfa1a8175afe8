"""A mail server with the real protocol that can be told to misbehave.

Arguments: certificate, key, user, password. Prints the ports of STARTTLS, of TLS from the first byte and
of clear text; then answers each line of standard input with one line.
"""

import asyncio
import json
import logging
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

logging.getLogger("mail.log").setLevel(logging.ERROR)
CERTIFICATE, KEY, USER, PASSWORD = sys.argv[1:]


class Handler:
    def __init__(self):
        self.mishap, self.times, self.mails = "none", 0, []

    def happens(self, mishap):
        """Whether it is this mishap's turn; -1 is for ever."""
        if self.mishap != mishap or self.times == 0:
            return False
        self.times -= 1 if self.times > 0 else 0
        return True

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        if self.mishap == "no-starttls":
            return [line for line in responses if "STARTTLS" not in line]
        if self.happens("turns-away"):
            return ["554 5.7.1 no service for you"]
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.happens("greylist"):
            return f"451 4.7.1 {address} greylisted, come back"
        if self.happens("no-mailbox"):
            return f"550 5.1.1 <{address}> no such mailbox"
        if self.happens("slow"):
            await asyncio.sleep(3600)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.happens("too-big"):
            return "552 5.3.4 too big"
        if self.happens("full"):
            return "452 4.2.2 mailbox full"
        if self.happens("drop-before-taking"):
            server.transport.abort()
            return "451 gone"
        login = session.auth_data.login.decode() if session.auth_data else None
        self.mails.append(
            {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "encrypted": server.transport.get_extra_info("sslcontext") is not None,
                "login": login,
                "text": envelope.content.decode("utf-8", "surrogateescape"),
            }
        )
        if self.happens("drop-after-data"):
            server.transport.abort()
        if self.happens("silent-after-data"):
            await asyncio.sleep(3600)
        return "250 2.0.0 Ok: queued as 4XyZ"

    async def handle_exception(self, error):
        return "451 4.3.0 broken"


def authenticate(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=good, handled=False, auth_data=data if good else None)


async def main():
    loop = asyncio.get_running_loop()
    handler, context = Handler(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE, KEY)
    login = {"authenticator": authenticate, "auth_required": True}
    doors = [
        (lambda: SMTP(handler, loop=loop, tls_context=context, **login), None),
        (lambda: SMTP(handler, loop=loop, auth_require_tls=False, **login), context),
        (lambda: SMTP(handler, loop=loop), None),
    ]
    servers = [await loop.create_server(door, "127.0.0.1", 0, ssl=tls) for door, tls in doors]
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        order = json.loads(line)
        if "mishap" in order:
            handler.mishap, handler.times = order["mishap"], order["times"]
        print(json.dumps(handler.mails), flush=True)


asyncio.run(main())
