"""A PostgreSQL for tests of the command, in a folder of its own.

As root it runs as the user postgres, which Bazel's sandbox does not allow: a
test with one needs tags = ["local"].
"""

import os
import pwd
import shutil
import subprocess
import tempfile

BIN = "/usr/lib/postgresql/15/bin/"


# In memory where there is room: a database is three hundred files.
def folder_for_servers():
    memory = "/dev/shm"
    if os.path.isdir(memory):
        disk = os.statvfs(memory)
        if (disk.f_bavail * disk.f_frsize >= 2 << 30
                and not disk.f_flag & os.ST_NOEXEC):
            return memory
    return "/tmp"


class Server:

    def __init__(self, hba="local all all trust\n", settings=""):
        self.folder = tempfile.mkdtemp(prefix="sluice-pg-",
                                       dir=folder_for_servers())
        # In a name space of its own root has no rights over others' folders.
        os.chmod(self.folder, 0o755)
        self.user = []
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.user = ["setpriv", f"--reuid={user.pw_uid}",
                         f"--regid={user.pw_gid}", "--clear-groups"]
        self.call("initdb", "-D", self.folder + "/data", "-U", "postgres", "-A",
                  "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
        settings = ("listen_addresses = ''\nfsync = off\n"
                    f"unix_socket_directories = '{self.folder}'\n" + settings)
        subprocess.run([*self.user, "sh", "-euc",
                        f'printf "%s" "$1" > {self.folder}/data/pg_hba.conf\n'
                        f'printf "%s" "$2" >> '
                        f"{self.folder}/data/postgresql.conf", "sh", hba,
                        settings], check=True)
        self.call("pg_ctl", "-D", self.folder + "/data", "-w", "-l",
                  self.folder + "/log", "start")

    def close(self):
        self.call("pg_ctl", "-D", self.folder + "/data", "-m", "immediate",
                  "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, tool, *words):
        subprocess.run([*self.user, BIN + tool, *words], check=True,
                       stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    def psql(self, database, user="postgres"):
        return [BIN + "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
                "-h", self.folder, "-U", user, "-d", database]

    def sql(self, database, *statements):
        """Each by itself; what they printed."""
        words = [word for statement in statements
                 for word in ("-c", statement)]
        return subprocess.run([*self.psql(database), *words], check=True,
                              stdout=subprocess.PIPE,
                              stdin=subprocess.DEVNULL).stdout.decode().strip()

    def uri(self, database, user="postgres", more=""):
        return (f"postgresql:?host={self.folder}&user={user}&dbname={database}"
                f"{more}")
