"""What stands in every evidence package: how to verify it, and what it shows and does not show."""

from typing import Final

README_ZH: Final = """证据包：怎么核验，能证明什么

一、怎么核验（不需要本系统，不需要联网）
1. 准备一台装有 Python 3.11 和 cryptography 的电脑。
2. 从可信的地方取得 verify.py（便利桥源码中的 audit/verify.py），不要用别人随证据包一起给的。
3. 从可信的地方取得两把钥匙，例如贵单位存档的纸面，不要用包里的：
   日志的核验密钥 VKEY；签包密钥的指纹 THUMBPRINT。
4. 运行：
   python verify.py --package 证据包.zip --key VKEY --signer THUMBPRINT
   显示 VERIFIED 就是通过；显示 FAILED 会说出第一处不对的地方。解压后的文件夹也可以这样核验。

二、能证明什么
- entries 里每条记录都在日志里，一个字也没有改过（proofs、checkpoint）。
- notices 是当时给本人看的原文；consents 是本人设备签过名的授权书；evidence 是当时通行密钥的签名。
- 清单 manifest.jwt 由便利桥签名，列出每个文件的摘要、谁在什么时候为什么导出。

三、不能证明什么
- 不在包里的记录，这个包说不出来。要证明没有遗漏，请核验整个日志。
- 清单里 missing 列出的文件，系统里已经没有了（例如本人要求清除），只剩摘要。
- 日志里没有姓名、号码和查到的内容；notices 和 consents 里可能有本人说过的情况，请按个人信息保管。
"""

README_EN: Final = """Evidence package: how to verify it, and what it shows

1. To verify (without this system, without a network)
   a. Take a computer with Python 3.11 and `cryptography`.
   b. Get verify.py from somewhere you trust (audit/verify.py of the Consent Broker), not from whoever gave you this.
   c. Get two keys from somewhere you trust, such as your own files on paper, not from this package:
      the log's verifier key VKEY, and the THUMBPRINT of the key that signs packages.
   d. Run
      python verify.py --package FILE.zip --key VKEY --signer THUMBPRINT
      VERIFIED means that all of it holds; FAILED names the first thing that does not. An unpacked folder will do, too.

2. What it shows
   - Each record in entries/ is in the log, not one character changed (proofs/, checkpoint).
   - notices/ are the words that the person was shown; consents/ what her device signed; evidence/ her passkey's word.
   - The list manifest.jwt is signed by the broker: each file's digest, and who took the package when and why.

3. What it does not show
   - Records that are not in it. That nothing was left out only the whole log can show.
   - What the list names under `missing` is no longer there (a person was erased, say); its digest is.
   - The log holds no name, no number and nothing that was found; notices and consents may hold what a person
     claimed: keep them as personal information.
"""
