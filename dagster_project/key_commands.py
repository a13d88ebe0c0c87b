"""`zhuanke key`: keys of signers, the keyring, and the pseudonym key.

Belongs here: the commands, where passphrases come from. Does not belong here: keys (`publishing.certificates.keys`),
the keyring (`publishing.certificates.keyring`), pseudonyms (`sources.privacy`).
"""

from __future__ import annotations

import json
import os
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dagster_project.terminal import AsJson, By, Home, Reason

if TYPE_CHECKING:
    from publishing.certificates.keyring import Role
    from publishing.certificates.keys import Signer

PASSPHRASE, PASSPHRASE_FILE = "ZHUANKE_KEY_PASSPHRASE", "ZHUANKE_KEY_PASSPHRASE_FILE"

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="密钥：签署人的密钥、公钥册、假名密钥。")

KeyFile = Annotated[
    Path,
    typer.Option("--key", help="私钥文件，由 zhuanke key new 所写", exists=True, dir_okay=False, show_default=False),
]


@app.command("new")
def key_new(
    file: Annotated[Path, typer.Argument(metavar="文件", help="写入的私钥文件，绝不覆盖", show_default=False)],
    name: Annotated[str, typer.Option("--name", help="持有人姓名", show_default=False)],
    organisation: Annotated[str, typer.Option("--organisation", help="单位", show_default=False)],
    algorithm: Annotated[str, typer.Option(help="ed25519，或国密 sm2")] = "ed25519",
) -> None:
    """创建签署人的密钥：私钥加口令存入文件（仅本人可读），旁边写出 .pub 公钥名片，交给公钥册的保管人。"""
    from publishing.certificates.keys import KeyProblem, key_id, new_key

    if algorithm not in ("ed25519", "sm2"):
        raise KeyProblem(f"算法须为 ed25519 或 sm2，而不是 {algorithm}。")
    signer = new_key(file, algorithm, _passphrase(confirm=True))  # type: ignore[arg-type]
    card = file.with_name(f"{file.name}.pub")
    card.write_text(json.dumps(_card(signer, name, organisation), ensure_ascii=False, indent=1) + "\n", "utf-8")
    print(f"已创建密钥 {key_id(signer.public_key)}：{file}\n公钥名片：{card}\n请离线备份私钥，口令另存。")


def _card(signer: Signer, name: str, organisation: str) -> dict[str, str]:
    import base64

    public = base64.b64encode(signer.public_key).decode()
    return {"public_key": public, "name": name, "organisation": organisation}


@app.command("add")
def key_add(
    card: Annotated[Path, typer.Argument(metavar="名片", help="公钥名片（.pub）", exists=True, show_default=False)],
    role: Annotated[list[str], typer.Option("--role", help="signer 签署证书；registrar 登记签发、取代与撤销；可重复")],
    by: By,
    reason: Reason,
    until: Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="有效期止日（含）")],
    start: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="有效期起日（默认今日）", show_default=False)
    ] = None,
    home: Home = None,
) -> None:
    """把一份公钥名片收入公钥册，写明角色与有效期。"""
    import base64

    from pydantic import ValidationError

    from dagster_project.settings import load_settings
    from publishing.certificates.keyring import Keyring, PublicKey
    from publishing.certificates.keys import KeyProblem, algorithm_of, key_id

    try:
        told = json.loads(card.read_text(encoding="utf-8"))
        public = base64.b64decode(told["public_key"], validate=True)
        key = PublicKey(
            **told,
            key_id=key_id(public),
            algorithm=algorithm_of(public),
            roles=tuple(_role(word) for word in sorted(set(role))),
            valid_from=start.date() if start else date.today(),
            valid_to=until.date(),
            added_by=by,
            reason=reason,
        )
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise KeyProblem(f"公钥名片 {card} 不合规：{error}") from error
    path = load_settings(home).keyring
    keyring = (Keyring.read(path) if path.exists() else Keyring()).with_key(key)
    keyring.write(path)
    print(f"已收入公钥册：{key.name}（{key.key_id}）\n公钥册指纹：{keyring.fingerprint}\n请以另一途径告知使用者。")


def _role(word: str) -> Role:
    from publishing.certificates.keyring import Role

    try:
        return Role(word)
    except ValueError:
        raise ValueError(f"角色须为 signer 或 registrar，而不是 {word}") from None


@app.command("end")
def key_end(
    key_id: Annotated[str, typer.Argument(metavar="密钥", help="密钥编号", show_default=False)],
    by: By,
    reason: Reason,
    on: Annotated[datetime, typer.Option("--on", formats=["%Y-%m-%d"], help="最后有效的一日")],
    home: Home = None,
) -> None:
    """提前结束一把密钥的有效期；此前的签名仍然有效。"""
    from dagster_project.settings import load_settings
    from publishing.certificates.keyring import Keyring
    from publishing.certificates.keys import KeyProblem

    path = load_settings(home).keyring
    keyring = Keyring.read(path)
    key = keyring.find(key_id)
    if key is None:
        raise KeyProblem(f"公钥册中没有密钥 {key_id}。zhuanke key list 列出全部。")
    if not key.valid_from <= on.date() <= key.valid_to:
        raise KeyProblem(f"止日须在原有效期（{key.valid_from} 至 {key.valid_to}）之内。")
    ended = key.model_copy(update={"valid_to": on.date(), "added_by": by, "reason": reason})
    keyring.with_key(ended).write(path)
    print(f"{key.name}（{key_id}）的有效期至 {on.date()}。请把新的公钥册发给使用者。")


@app.command("list")
def key_list(home: Home = None, as_json: AsJson = False) -> None:
    """列出公钥册：持有人、角色、有效期，以及公钥册的指纹。"""
    from dagster_project.settings import load_settings
    from publishing.certificates.keyring import ROLE_ZH, Keyring

    path = load_settings(home).keyring
    keyring = Keyring.read(path) if path.exists() else Keyring()
    if as_json:
        print(json.dumps(keyring.model_dump(mode="json"), ensure_ascii=False, indent=1))
        return
    for key in keyring.keys:
        roles = "、".join(ROLE_ZH[role] for role in key.roles)
        print(f"{key.key_id}  {key.name}（{key.organisation}）")
        print(f"  {key.algorithm}；{roles}；{key.valid_from} 至 {key.valid_to}")
    print(f"指纹：{keyring.fingerprint}")


@app.command("pseudonym")
def key_pseudonym(home: Home = None) -> None:
    """创建假名密钥（仅本人可读，绝不覆盖）。请离线备份。"""
    from dagster_project.settings import load_settings
    from sources.privacy import new_key

    path = load_settings(home).pseudonym_key_file
    new_key(path)
    print(f"已创建密钥：{path}\n请离线备份。密钥丢失后，新数据的假名将无法与旧数据对应。")


def open_key(file: Path) -> Signer:
    """The key in a file, with the passphrase from environment or prompt."""
    from publishing.certificates.keys import load_key

    return load_key(file, _passphrase(confirm=False))


def _passphrase(*, confirm: bool) -> str:
    """From the environment, a file that it names, or the person at the terminal."""
    if (text := os.environ.get(PASSPHRASE)) is not None:
        return text
    if file := os.environ.get(PASSPHRASE_FILE):
        return Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    given: str = typer.prompt("私钥口令", hide_input=True, confirmation_prompt="再输一次" if confirm else False)
    return given
