"""Makes every backend a protection plugin of Karbor.

Karbor finds the plugins by their entry points in ``karbor.protections``; nothing else imports this
package. It needs Karbor 1.6.0, which no extra installs.
"""
