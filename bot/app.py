"""The composition root: settings in, a running service out. The only place that knows every part."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import ClientSession, TCPConnector, web
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.monitoring import CommandListener
from telegram import Bot

from bot.channels import telegram, telegram_polling, whatsapp, whatsapp_hook
from bot.channels.telegram_groups import Groups
from bot.channels.telegram_receiving import Intake, TelegramWebhook, nobody
from bot.channels.terminal import TerminalChannel
from bot.channels.webchat import WebChannel
from bot.clients.alerts import ConsolePager, EmailPager, TelegramPager, WebhookPager
from bot.clients.copies import ChildCopies
from bot.clients.nlu import RasaNlu
from bot.clients.packets import Packets
from bot.clients.printer import Printer
from bot.clients.reader import open_reader
from bot.clients.sheets import Sheets
from bot.clients.speech import Speech
from bot.clients.transcriber import open_transcriber
from bot.clients.translator import GoogleTranslate
from bot.config import Config
from bot.content.load import load as load_content
from bot.content.model import Content
from bot.dialogue.knowledge import Knowledge
from bot.dialogue.safety import Guard
from bot.domain.canary import ADDRESS as CANARY_ADDRESS
from bot.domain.canary import CANARY_FAILED
from bot.domain.contact import read_templates
from bot.domain.conversation import Turn, Waiting
from bot.domain.messages import ChannelName, OutboundMessage
from bot.domain.pace import paces
from bot.group import ResponderGroup
from bot.ports import Alert, Channel, Fetch, Pager, Stamp, Translator, Understander
from bot.recruiters.names import Lexicon
from bot.recruiters.offers import Offers
from bot.service.answer import Answerer, Seen, Senses, keep_answering
from bot.service.canary import Canary, keep_flying
from bot.service.copies import Copier, keep_copying
from bot.service.custody import Custody, Shelves, keep_ending
from bot.service.deliver import Deliverer, keep_delivering
from bot.service.early import EarlyPages, keep_paging_early
from bot.service.first import First
from bot.service.follow import Follower, keep_following
from bot.service.forget import Forgetter, keep_forgetting
from bot.service.history import Histories, Limits
from bot.service.imports import Imports
from bot.service.interpret import Interpreter
from bot.service.lessons import Teacher, keep_teaching
from bot.service.listen import Listener, keep_fetching
from bot.service.lists import Recruiters
from bot.service.merge import Merging
from bot.service.notices import Notes, keep_telling
from bot.service.oncall import OnCall
from bot.service.operator import Operator
from bot.service.people import People, keep_clear
from bot.service.places import Places
from bot.service.platform import PlatformNews
from bot.service.publish import Wording
from bot.service.reads import Reads
from bot.service.receive import NotAccepted, Receiver
from bot.service.refer import Referrals
from bot.service.respond import Respond
from bot.service.tasks import Tasks
from bot.service.topics import GROUP_BROKEN
from bot.service.typing import Typing
from bot.service.watch import (
    ListWatch,
    Watch,
    keep_erasing,
    keep_escalating,
    keep_looking_at_lists,
    keep_paging,
)
from bot.service.window import Window
from bot.store import mongo
from bot.store.agencies import MongoAgencies
from bot.store.alerts import MongoAlerts
from bot.store.approvals import MongoApprovals
from bot.store.attachments import MongoAttachments
from bot.store.audit import HISTORIES_SIGNED, MongoAudit
from bot.store.canaries import MongoCanaries
from bot.store.cases import MongoCases
from bot.store.clock import SteadyClock
from bot.store.contacts import MongoContacts
from bot.store.conversations import Ladder, MongoConversations
from bot.store.follow_ups import MongoFollowUps
from bot.store.handovers import MongoHandovers
from bot.store.held import MongoHeldBack
from bot.store.history import Writer
from bot.store.inbox import MongoInbox
from bot.store.index_files import IndexFiles
from bot.store.leases import MongoLeases
from bot.store.lessons import MongoLessons
from bot.store.media import MongoMedia
from bot.store.merges import MongoMerges
from bot.store.moves import MongoMoves
from bot.store.notices import MongoNotices
from bot.store.organisations import MongoOrganisations
from bot.store.outbox import MongoOutbox
from bot.store.pace import MongoPace
from bot.store.passkeys import MongoPasskeys
from bot.store.places import MongoPlaces
from bot.store.quarantine import MongoQuarantine
from bot.store.reports import MongoReports
from bot.store.responders import MongoResponders, MongoSessions
from bot.store.rota import MongoRota
from bot.store.sealed import Sealer, load_key, load_keys
from bot.store.spool import FileSpool, keep_draining
from bot.store.tasks import MongoTasks
from bot.store.traces import MongoTraces
from bot.store.wording import MongoWording

log = logging.getLogger(__name__)
Doc = dict[str, Any]
Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]
#: How long a clean stop waits for an answer or a send that has begun, in seconds.
LAST_STEP = 20.0
DELIVERERS = 4
PAGES_AT_ONCE = 2
LISTS_EVERY = 5.0


def utc_now() -> datetime:
    """Return the time: the one place where the service reads the clock."""
    return datetime.now(UTC)  # noqa: TID251 - handed to everything else


@dataclass
class Service:
    """Everything that runs, by name, for the routes, the command line and the tests."""

    config: Config
    wording: Wording
    wording_store: MongoWording
    db: AsyncDatabase[Doc]
    sealer: Sealer
    inbox: MongoInbox
    outbox: MongoOutbox
    conversations: MongoConversations
    cases: MongoCases
    alerts: MongoAlerts
    agencies: MongoAgencies
    audit: MongoAudit
    responders: MongoResponders
    sessions: MongoSessions
    organisations: MongoOrganisations
    passkeys: MongoPasskeys
    people: People
    quarantine: MongoQuarantine
    leases: MongoLeases
    spool: FileSpool
    recruiters: Recruiters
    reports: MongoReports
    histories: Histories
    receiver: Receiver
    respond: Respond
    task_store: MongoTasks
    tasks: Tasks
    referrals: Referrals
    handovers: MongoHandovers
    watch: Watch
    early: EarlyPages
    steady: SteadyClock
    rotas: MongoRota
    oncall: OnCall
    group: ResponderGroup
    canary: Canary
    list_watch: ListWatch
    imports: Imports
    places: Places
    printer: Printer
    forgetter: Forgetter
    follower: Follower
    teacher: Teacher
    notes: Notes
    window: Window
    operator: Operator
    platform_news: PlatformNews
    web: WebChannel
    terminal: TerminalChannel
    nlu: Understander
    speech: Speech
    media: MongoMedia
    attachments: MongoAttachments
    copier: Copier
    approvals: MongoApprovals
    custody: Custody
    reads: Reads
    listener: Listener
    translator: Translator | None
    merges: MongoMerges
    merging: Merging
    first: First
    interpreter: Interpreter
    http: ClientSession
    bot: Bot | None
    knowledge: Callable[[], Knowledge]
    now: Callable[[], datetime]
    wake_answers: asyncio.Event = field(default_factory=asyncio.Event)
    wake_delivery: asyncio.Event = field(default_factory=asyncio.Event)
    wake_console: asyncio.Event = field(default_factory=asyncio.Event)
    wake_fetching: asyncio.Event = field(default_factory=asyncio.Event)
    wake_paging: asyncio.Event = field(default_factory=asyncio.Event)
    channels: dict[ChannelName, Channel] = field(default_factory=dict)
    pagers: dict[str, Pager] = field(default_factory=dict)
    owner: str = ""

    @property
    def content(self) -> Content:
        """The words in force now."""
        return self.wording.content


@asynccontextmanager
async def open_service(
    config: Config,
    *,
    mongodb_uri: str,
    nlu_url: str,
    listeners: Sequence[CommandListener] = (),
    now: Callable[[], datetime] = utc_now,
    with_lists: bool = True,
) -> AsyncIterator[Service]:
    """Connect and build everything; nothing runs yet (see `running`).

    *with_lists*: load the lists of recruiters into memory, which takes a while when they are long.
    """
    content = load_content(config.content)
    master, index_key = load_keys(config.data / "keys")
    async with AsyncExitStack() as stack:
        client = mongo.connect(mongodb_uri, listeners)
        stack.push_async_callback(client.close)
        http = await stack.enter_async_context(ClientSession(connector=TCPConnector(limit=64)))
        db = mongo.database(client, config.mongodb_name)
        sealer = Sealer(client, config.mongodb_name, master, index_key)
        stack.push_async_callback(sealer.close)
        await mongo.prepare(db)
        await sealer.prepare()
        service = await _build(config, content, client, db, sealer, http, nlu_url, now, stack)
        if await service.cases.prepare():
            await service.audit.record(Stamp("audit", HISTORIES_SIGNED), now())
        await service.agencies.prepare()
        await service.places.refresh()
        if with_lists:
            await service.recruiters.refresh()
        yield service


async def _build(  # noqa: PLR0913, PLR0915 - the composition root
    config: Config,
    content: Content,
    client: AsyncMongoClient[Doc],
    db: AsyncDatabase[Doc],
    sealer: Sealer,
    http: ClientSession,
    nlu_url: str,
    now: Callable[[], datetime],
    stack: AsyncExitStack,
) -> Service:
    wake_answers, wake_delivery, wake_console = asyncio.Event(), asyncio.Event(), asyncio.Event()
    wake_paging = asyncio.Event()

    def committed() -> None:
        wake_delivery.set()
        wake_paging.set()

    bot = await _telegram(config, stack)
    web_channel, terminal = WebChannel(), TerminalChannel()
    channels: dict[ChannelName, Channel] = {ChannelName.WEB: web_channel, ChannelName.TERMINAL: terminal}
    wording_store = MongoWording(db)
    wording = Wording(content, wording_store, now)
    await wording.refresh()
    speech = Speech(config.data / "speech", config.content / "audio", lambda: wording.content)
    stack.callback(speech.close)
    fetchers: dict[ChannelName, Fetch] = {}
    if bot:
        channels[ChannelName.TELEGRAM] = on_telegram = telegram.TelegramChannel(bot, speech)
        fetchers[ChannelName.TELEGRAM] = on_telegram.fetch
    if config.whatsapp_token.get_secret_value():
        token = config.whatsapp_token.get_secret_value()
        channels[ChannelName.WHATSAPP] = on_whatsapp = whatsapp.WhatsAppChannel(
            http, config.whatsapp_api_url, token, config.whatsapp_phone_id, speech, _proof(config)
        )
        fetchers[ChannelName.WHATSAPP] = on_whatsapp.fetch
    media = MongoMedia(db, sealer)
    translator = GoogleTranslate(time.monotonic) if config.translate else None
    rotas = MongoRota(db, sealer)
    oncall = OnCall(rotas, now)
    await oncall.refresh()
    responders = MongoResponders(db, sealer)
    group = ResponderGroup(config, db, sealer, responders, lambda: wording.content, now)
    await group.place.refresh()
    pagers = _pagers(config, lambda: wording.content, bot, http, wake_console, oncall, group)
    officer = _officer(config, lambda: wording.content)
    steady = SteadyClock(db, now)
    await steady.follow()
    ladder = Ladder(config.rungs, steady)
    writer = Writer(db, sealer, tuple(pagers), oncall.addressed)
    inbox = MongoInbox(db, sealer, config.spool_after)
    outbox = MongoOutbox(db, sealer, frozenset(channels))
    cases = MongoCases(client, db, sealer, writer, ladder)
    merges = MongoMerges(client, db, writer, ladder)
    respond = Respond(cases, merges, lambda: wording.content, now, committed)
    task_store = MongoTasks(client, db, sealer, writer)
    alerts = MongoAlerts(db, config.spool_after)
    operator = Operator(alerts, tuple(pagers), now)
    agencies = MongoAgencies(db)
    lexicon = Lexicon(content.firm_words)
    recruiters = Recruiters(agencies, lexicon, IndexFiles(config.data / "index"), now)
    audit = MongoAudit(db, sealer.derived_key("audit"))
    follow_ups = MongoFollowUps(client, db, sealer, writer, frozenset(channels))
    reports = MongoReports(client, db, sealer)
    conversations = MongoConversations(client, db, sealer, writer, ladder, reports)
    learners = MongoLessons(client, db, conversations, frozenset(channels))
    notices = MongoNotices(client, db, conversations, frozenset(channels))
    histories = _histories(config, content, reports, now)
    await histories.refresh()
    guard, offers = Guard(content.danger), Offers(content.red_flags)
    places = Places(MongoPlaces(db), audit, content, load_key(config.data / "keys" / "posters.key"), now)
    spool = FileSpool(config.data / "spool", sealer.derived_key("spool"))
    attachments = MongoAttachments(client, db, sealer, media, writer)
    approvals = MongoApprovals(client, db, sealer, Writer(db, sealer, tuple(officer or pagers)))
    shelves = Shelves(cases, media, attachments, approvals, MongoContacts(db, sealer), audit)
    owner = f"{socket.gethostname()}:{os.getpid()}"
    responders, organisations = MongoResponders(db, sealer), MongoOrganisations(db)

    def knowledge() -> Knowledge:
        return Knowledge(
            wording.content,
            guard,
            recruiters.check,
            recruiters.lists,
            places.gazetteer,
            offers,
            lexicon,
            may_translate=config.translate,
            reported=histories.reported,
            directory=places.directory,
        )

    early = EarlyPages(inbox, alerts, pagers, knowledge, time.monotonic, oncall.addressed)
    receiver = Receiver(inbox, outbox, spool, wake_answers.set, early)
    respond = Respond(cases, merges, lambda: wording.content, now, committed)
    watch = Watch(cases, alerts, {**pagers, **officer}, lambda: wording.content, now, committed, owner, merges)
    if bot and config.telegram_responders_chat:
        group.join(bot, cases, respond, watch, alerts, audit, tuple(pagers), wake_console.set, owner)
    return Service(
        config=config,
        wording=wording,
        wording_store=wording_store,
        db=db,
        sealer=sealer,
        inbox=inbox,
        outbox=outbox,
        conversations=conversations,
        cases=cases,
        alerts=alerts,
        agencies=agencies,
        audit=audit,
        responders=responders,
        sessions=MongoSessions(db, sealer),
        organisations=organisations,
        passkeys=MongoPasskeys(db),
        people=People(cases, responders, organisations, now),
        quarantine=MongoQuarantine(db, sealer),
        leases=MongoLeases(db, sealer, owner),
        spool=spool,
        recruiters=recruiters,
        reports=reports,
        histories=histories,
        receiver=receiver,
        respond=respond,
        merges=merges,
        merging=Merging(merges, respond, now, committed),
        first=First(cases, lambda: wording.content, now, committed, read_templates(config.whatsapp_templates)),
        interpreter=Interpreter(_case_translator(config, content)),
        task_store=task_store,
        tasks=Tasks(task_store, now),
        referrals=Referrals(cases, Packets(), now),
        handovers=MongoHandovers(db, sealer),
        watch=watch,
        early=early,
        steady=steady,
        rotas=rotas,
        oncall=oncall,
        group=group,
        canary=Canary(MongoCanaries(db, inbox.conversation_id(CANARY_ADDRESS)), receiver.receive, pagers, now),
        list_watch=ListWatch(agencies, alerts, tuple(pagers), now),
        imports=Imports(agencies, audit, now, config.lists_kept),
        places=places,
        printer=Printer(config.content / "pictograms"),
        forgetter=Forgetter(MongoTraces(db, sealer, frozenset(channels)), channels, now),
        follower=Follower(
            follow_ups, lambda: wording.content, now, wake_delivery.set, can_greet=bool(config.whatsapp_template)
        ),
        window=Window(MongoHeldBack(db, sealer, writer), config.whatsapp_template, now),
        operator=operator,
        platform_news=PlatformNews(ChannelName.WHATSAPP, outbox, MongoMoves(db, sealer, writer), operator, now),
        notes=Notes(
            notices, lambda: wording.content, lambda: places.directory.points, _speeds(config), now, wake_delivery.set
        ),
        teacher=Teacher(learners, lambda: wording.content, now, wake_delivery.set),
        web=web_channel,
        terminal=terminal,
        speech=speech,
        media=media,
        attachments=attachments,
        copier=Copier(attachments, ChildCopies(), now),
        approvals=approvals,
        custody=Custody(shelves, now),
        reads=Reads(audit, alerts, tuple(officer or pagers), config.cases_read, now),
        listener=_listener(config, media, fetchers, now),
        translator=translator,
        nlu=RasaNlu(http, nlu_url, token=config.nlu_token.get_secret_value(), intents=None),
        http=http,
        bot=bot,
        knowledge=knowledge,
        now=now,
        wake_answers=wake_answers,
        wake_delivery=wake_delivery,
        wake_paging=wake_paging,
        wake_console=wake_console,
        channels=channels,
        pagers=pagers,
        owner=owner,
    )


def _speeds(config: Config) -> dict[ChannelName, float]:
    """Return how many messages a second each paced channel takes."""
    limits = paces(config.telegram_per_second, config.whatsapp_per_second)
    return {channel: 1000 / pace.account.every_ms for channel, pace in limits.items()}


def _listener(
    config: Config, media: MongoMedia, fetchers: dict[ChannelName, Fetch], now: Callable[[], datetime]
) -> Listener:
    """Pictures take at most half the workers, and one core each: somebody in danger must find a worker free."""
    looking = max(config.workers // 2, 1)
    reader = open_reader(config.read_images, min(len(os.sched_getaffinity(0)), looking))
    return Listener(media, fetchers, open_transcriber(config.speech_model), now, reader, looking)


def _proof(config: Config) -> str:
    secret = config.whatsapp_app_secret.get_secret_value()
    return whatsapp.proof_of(config.whatsapp_token.get_secret_value(), secret) if config.whatsapp_prove else ""


def _case_translator(config: Config, content: Content) -> Translator | None:
    """A machine of its own for words of a case: nothing of them stays in memory, and its breaker is its own."""
    if not config.translate_cases:
        return None
    names = {line.fact.source.rpartition(", ")[2] for line in content.helplines.values()}
    return GoogleTranslate(time.monotonic, names=sorted(names), most_cached=0)


def _histories(config: Config, content: Content, reports: MongoReports, now: Callable[[], datetime]) -> Histories:
    limits = Limits(config.reports_needed, config.most_shared, config.report_days)
    facts = [fact for topic in content.topics.values() for fact in topic.facts]
    facts += [line.fact for line in content.helplines.values()]
    official = sorted({line.number for line in content.helplines.values()} | {fact.url for fact in facts})
    return Histories(reports, Sheets(), lambda: official, limits, now)


async def _telegram(config: Config, stack: AsyncExitStack) -> Bot | None:
    token = config.telegram_token.get_secret_value()
    if not token:
        return None
    bot = telegram.make_bot(token, config.telegram_api_url)
    await telegram.open_requests(bot)
    stack.push_async_callback(telegram.close_requests, bot)
    return bot


def _page_words(content: Callable[[], Content], alert: Alert) -> str:
    """Return what a page says: never a person's words."""
    own = {"break_glass": "console.seal.page", "too_many_reads": "console.seal.page_reads"}
    if alert.kind in own:
        return content().words("en", own[alert.kind]).replace("{case}", alert.case_id)
    if alert.kind == CANARY_FAILED:
        return content().words("en", "console.alert.canary").replace("{channels}", alert.values["channels"])
    if alert.kind == GROUP_BROKEN:
        text = content().words("en", f"console.telegram.alert_{alert.values['why']}")
        return text.replace("{case}", alert.values["case"])
    if not alert.case_id and not alert.source:
        text = content().words("en", "console.alert.early")
        return text.replace("{kind}", alert.kind).replace("{ref}", alert.ref)
    if alert.source:
        text = content().words("en", f"console.lists.alert_{alert.kind}")
        return functools.reduce(lambda text, pair: text.replace(f"{{{pair[0]}}}", pair[1]), alert.values.items(), text)
    text = content().words("en", "alert.page").replace("{kind}", alert.kind).replace("{case}", alert.case_id)
    if alert.rung:
        text += "\n" + content().words("en", "console.alert.rung").replace("{rung}", str(alert.rung))
    if alert.to:
        text += "\n" + content().words("en", "console.alert.for").replace("{names}", ", ".join(alert.to))
    return text


def _pagers(
    config: Config,
    content: Callable[[], Content],
    bot: Bot | None,
    http: ClientSession,
    wake_console: asyncio.Event,
    oncall: OnCall,
    group: ResponderGroup,
) -> dict[str, Pager]:
    words = functools.partial(_page_words, content)
    pagers: dict[str, Pager] = {"console": ConsolePager(wake_console.set)}
    if bot and config.telegram_responders_chat:
        pagers["telegram"] = TelegramPager(bot, group.pages(), config.public_url, words)
    if config.alert_webhook_url:
        secret = config.alert_webhook_secret.get_secret_value()
        pagers["webhook"] = WebhookPager(http, config.alert_webhook_url, secret)
    if config.alert_email_to:
        pagers["email"] = EmailPager(
            _mail(config), config.alert_email_from, config.alert_email_to, words, oncall.addresses
        )
    return pagers


def _officer(config: Config, content: Callable[[], Content]) -> dict[str, Pager]:
    """Return the way to the data officer, who hears of every break-glass; without one all channels hear of it."""
    to = config.data_officer_email
    words = functools.partial(_page_words, content)
    pager = EmailPager(_mail(config), config.alert_email_from, to, words, addresses=lambda _: ())
    return {"data_officer": pager} if to else {}


def _mail(config: Config) -> dict[str, object]:
    settings: dict[str, object] = {"hostname": config.smtp_host, "port": config.smtp_port}
    settings["use_tls"] = config.smtp_tls == "tls"
    settings["start_tls"] = config.smtp_tls == "starttls"
    if config.smtp_user:
        settings |= {"username": config.smtp_user, "password": config.smtp_password.get_secret_value()}
    return settings


@asynccontextmanager
async def running(service: Service, on_turn: Seen | None = None) -> AsyncIterator[None]:
    """Run the workers, the deliverers and the clocks until the block ends; then let each finish its step."""
    on_telegram = service.channels.get(ChannelName.TELEGRAM)
    shows = {ChannelName.TELEGRAM: on_telegram.show} if isinstance(on_telegram, telegram.TelegramChannel) else {}
    senses = Senses(service.nlu, service.listener, service.translator, Typing(shows))

    def committed() -> None:
        service.wake_delivery.set()
        service.wake_paging.set()

    def seen(waiting: Waiting, turn: Turn, messages: tuple[OutboundMessage, ...]) -> None:
        service.places.seen(turn)
        if on_turn:
            on_turn(waiting, turn, messages)

    answerer = Answerer(
        service.inbox, service.conversations, senses, service.knowledge, service.now,
        committed, service.owner, seen,
    )  # fmt: skip
    limits = paces(service.config.telegram_per_second, service.config.whatsapp_per_second)
    deliverer = Deliverer(
        service.outbox, service.channels, MongoPace(service.db, limits), service.owner, time.monotonic,
        service.window, service.operator,
    )  # fmt: skip
    stopping = asyncio.Event()
    steps = [keep_answering(answerer, service.wake_answers, stopping) for _ in range(service.config.workers)]
    steps += [keep_delivering(deliverer, service.wake_delivery, stopping) for _ in range(DELIVERERS)]
    jobs = [keep_forgetting(service.forgetter), keep_following(service.follower), keep_teaching(service.teacher)]
    jobs.append(keep_telling(service.notes))
    jobs += [keep_fetching(service.listener, service.wake_fetching)]
    for channel in service.watch.channels:
        jobs += [keep_paging(service.watch, channel, service.wake_paging) for _ in range(PAGES_AT_ONCE)]
    jobs += [keep_paging_early(service.early), keep_draining(service.spool, service.inbox)]
    jobs += [keep_escalating(service.watch), keep_erasing(service.conversations.erase_due, service.now)]
    jobs += [keep_copying(service.copier), keep_ending(service.custody)]
    jobs += [_keep_lists(service), keep_clear(service.people)]
    jobs += [keep_looking_at_lists(service.list_watch)]
    if service.config.canary_every:
        jobs.append(keep_flying(service.canary, service.config.canary_every))
    jobs += service.group.jobs()
    if service.bot and service.config.telegram_polls:
        jobs.append(_poll_telegram(service, service.bot))
    stepping, tasks = ([asyncio.create_task(job) for job in some] for some in (steps, jobs))
    try:
        yield
    finally:
        stopping.set()
        try:
            await _stop(tasks)
            await asyncio.wait(stepping, timeout=LAST_STEP)
        finally:
            await _stop(stepping)


def _poll_telegram(service: Service, bot: Bot) -> Coroutine[Any, Any, None]:
    leases, name = service.leases, "telegram:polling"
    hold = functools.partial(leases.hold, name, telegram_polling.LEASE_SECONDS)
    poller = telegram_polling.Poller(bot, _telegram_intake(service, bot), hold)
    return telegram_polling.keep_polling(poller, functools.partial(leases.release, name))


def _telegram_intake(service: Service, bot: Bot) -> Intake:
    def in_group(language: str) -> str:
        content = service.content
        known = language.partition("-")[0]
        return content.words(known if known in content.locales else next(iter(content.locales)), "telegram.group")

    groups = Groups(bot, service.leases.once, in_group, service.config.telegram_responders_chat)
    door = service.group.door
    aside = door.take if door else nobody
    return Intake(bot, service.receiver.receive, service.quarantine.keep, service.now, groups, aside)


async def _stop(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel until every task has ended: a driver call may swallow a cancellation that reaches it as it returns."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.5)


async def _keep_lists(service: Service) -> None:
    while True:
        await asyncio.sleep(LISTS_EVERY)
        try:
            await service.places.refresh()
            await service.recruiters.refresh()
            await service.histories.refresh()
            await service.wording.refresh()
            await service.oncall.refresh()
        except Exception as error:
            log.exception("the lists and words stay as they are", extra={"error": type(error).__name__})


def web_app(service: Service) -> web.Application:
    """Return the web application: webhooks, public pages, console."""
    from bot.console.routes import add_console  # noqa: PLC0415 - heavy templates, not needed by the command line
    from bot.public.routes import add_public  # noqa: PLC0415

    app = web.Application(client_max_size=whatsapp_hook.MOST_BYTES)
    add_webhooks(app, service)
    add_public(app, service)
    add_console(app, service)
    return app


def add_webhooks(app: web.Application, service: Service) -> None:
    """Add the channels' webhooks for which there are credentials."""
    config = service.config
    if service.bot and config.telegram_secret.get_secret_value():
        hook = TelegramWebhook(
            _telegram_intake(service, service.bot),
            (config.telegram_secret.get_secret_value(), config.telegram_secret_old.get_secret_value()),
        )
        app.router.add_post("/webhooks/telegram", _kept(hook.handle))
    if ChannelName.WHATSAPP in service.channels:
        news = service.platform_news
        cloud = whatsapp_hook.WhatsAppWebhook(
            config.whatsapp_phone_id,
            (config.whatsapp_app_secret.get_secret_value(), config.whatsapp_app_secret_old.get_secret_value()),
            config.whatsapp_verify_token.get_secret_value(),
            whatsapp_hook.Desk(service.receiver.receive, news.receipt, service.quarantine.keep, news.moved, news.alarm),
            service.now,
        )
        app.router.add_get("/webhooks/whatsapp", cloud.verify)
        app.router.add_post("/webhooks/whatsapp", _kept(cloud.handle))


def _kept(handle: Handle) -> Handle:
    """Answer 503 when neither database nor spool could keep the message, so that the platform sends it again."""

    async def answered(request: web.Request) -> web.StreamResponse:
        try:
            return await handle(request)
        except NotAccepted as error:
            log.critical("a message could not be kept anywhere; free some disk", extra={"error": str(error)})
            return web.Response(status=503, headers={"Retry-After": "30"})

    return answered
