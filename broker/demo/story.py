"""The story of Mr Xu, a line a step: his fund account is in Beijing, his new home in Yangzhou, his papers stay at home.

Each step checks what it did; the first that does not do what it should ends the story.
"""

from contextlib import AsyncExitStack
from pathlib import Path

from broker.demo.asking import file_request, read_offer, ready_phone, sign_while_waited_for, sign_without_tax
from broker.demo.evidence import alter_copy, see_accesses, verify_log
from broker.demo.pulling import exchange_once, misuse, use_up, verify_receipt, withdraw
from broker.demo.report import Report
from broker.demo.stage import Stage, start_broker, start_departments


async def tell(report: Report, folder: Path, scratch: Path, stack: AsyncExitStack, *, for_people: bool) -> Stage:
    """Tell it all in `folder`; `stack` ends what was started, `scratch` goes. Raises NotAsItShouldBe.

    `for_people`: what runs is to be looked at afterwards.
    """
    step = report.step
    fleet = await step("departments_started", "四个部门上线 Four departments", start_departments(folder, stack))
    starting = start_broker(folder, fleet, stack, for_people=for_people)
    stage = await step("broker_started", "便利桥上线 The consent broker", starting)
    report.verification["vkey"] = stage.vkey
    asked = await step("request_filed", "扬州公积金中心请徐先生授权 The fund centre asks", file_request(stage))
    await step("phone_ready", "徐先生登录，登记手机的密钥 Mr Xu signs in with his phone", ready_phone(stage.phone))
    await step("offer_read", "徐先生看告知书 He reads what he is asked", read_offer(stage.phone, asked))
    consent = await step("consent_signed", "他签字，中心拿到授权 He signs", sign_while_waited_for(stage, asked))
    answer = await step("records_exchanged", "一次调用，四个部门 One exchange", exchange_once(report, stage, consent))
    receipt = await step("receipt_verified", "离线核对收据 The receipt, offline", verify_receipt(stage, answer))
    other = await step("partial_consent_signed", "另一份授权，不含契税 A second consent", sign_without_tax(stage))
    await step("misuse_refused", "不该查的查不到 What must not work", misuse(report, stage, consent, other))
    await step("limit_kept", "用完为止 Three uses, not four", use_up(report, stage, consent))
    await step("withdrawal_bites", "他在手机上撤回 He withdraws", withdraw(report, stage, other))
    await step("accesses_seen", "徐先生看谁查过 He sees who looked", see_accesses(stage))
    await step("log_verified", "核验整本日志 The whole log is verified", verify_log(report, stage))
    await step("alteration_named", "改一行试试 One row is altered", alter_copy(report, stage, receipt, scratch))
    return stage
